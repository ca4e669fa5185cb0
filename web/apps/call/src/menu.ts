/** What is needed seldom during a call: screen share, picture in picture, full screen, devices. */

import { canShareScreen } from "@visavis/client";

import type { DeviceChoice } from "./device_choice";
import { byId } from "./dom";
import { isShortcut, setSwitch } from "./switches";

export class Menu {
  readonly #box = byId("more-menu");
  readonly #video: HTMLVideoElement;

  constructor(video: HTMLVideoElement, choice: DeviceChoice, takesScreens: boolean, over: AbortSignal) {
    const options = { signal: over };
    this.#video = video;
    choice.moveTo(this.#box);
    byId("share").hidden = !(takesScreens && canShareScreen());
    byId("pip").hidden = !document.pictureInPictureEnabled;
    byId("full").hidden = !document.fullscreenEnabled;
    byId("pip").addEventListener("click", () => void this.#float(), options);
    byId("full").addEventListener("click", () => void fill(), options);
    document.addEventListener("keydown", (event) => isShortcut(event) && event.key.toLowerCase() === "f" && void fill(), options);
    document.addEventListener("pointerdown", (event) => this.#closeOutside(event), options);
    this.close({ quietly: true });
  }

  get open(): boolean {
    return !this.#box.hidden;
  }

  show(): void {
    this.#box.hidden = false;
    setSwitch("more", "on");
    this.#box.querySelector<HTMLElement>("button:not([hidden]), select")?.focus();
  }

  /** @param quietly leave the focus where it is */
  close({ quietly = false } = {}): void {
    this.#box.hidden = true;
    setSwitch("more", "off");
    if (!quietly) document.querySelector<HTMLElement>('[data-switch="more"]')?.focus();
  }

  #closeOutside(event: PointerEvent): void {
    const inside = event.target instanceof Element && event.target.closest('#more-menu, [data-switch="more"]');
    if (this.open && !inside) this.close({ quietly: true });
  }

  async #float(): Promise<void> {
    this.close();
    try {
      if (document.pictureInPictureElement) await document.exitPictureInPicture();
      else await this.#video.requestPictureInPicture();
    } catch (error) {
      console.warn("no picture in picture:", error);
    }
  }
}

async function fill(): Promise<void> {
  if (!document.fullscreenEnabled) return;
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await document.documentElement.requestFullscreen();
  } catch (error) {
    console.warn("no full screen:", error);
  }
}
