/** The lists of microphones, cameras and speakers: in the lobby, and later in the call's menu. */

import { type Kind, listDevices, type OwnMedia } from "@visavis/client";

import { byId } from "./dom";

const KINDS = ["microphone", "camera", "speaker"] as const;

export class DeviceChoice {
  /** The speaker chosen, "" for the usual one. */
  speakerId = "";
  readonly #own: OwnMedia;
  readonly #speakerChosen: (speakerId: string) => void;

  constructor(own: OwnMedia, speakerChosen: (speakerId: string) => void) {
    this.#own = own;
    this.#speakerChosen = speakerChosen;
    own.on("change", () => void this.#draw());
    navigator.mediaDevices?.addEventListener?.("devicechange", () => void this.#draw());
    for (const kind of KINDS) select(kind).onchange = () => this.#choose(kind);
    void this.#draw();
  }

  /** Show the lists in `place`. */
  moveTo(place: HTMLElement): void {
    place.append(byId("choices"));
  }

  #choose(kind: Kind | "speaker"): void {
    const { value } = select(kind);
    if (kind !== "speaker") return void this.#own.choose(kind, value);
    this.speakerId = value;
    this.#speakerChosen(value);
  }

  async #draw(): Promise<void> {
    const devices = await listDevices();
    for (const kind of KINDS) {
      const used = kind === "speaker" ? this.speakerId : this.#own.tracks[kind]?.getSettings().deviceId;
      const options = devices[kind].map(
        (device) => new Option(device.label, device.deviceId, false, device.deviceId === used),
      );
      select(kind).replaceChildren(...options);
      const row = select(kind).closest("label");
      if (row) row.hidden = options.length === 0;
    }
    byId("choices").hidden = KINDS.every((kind) => devices[kind].length === 0);
  }
}

function select(kind: Kind | "speaker"): HTMLSelectElement {
  return byId(`choose-${kind}`);
}
