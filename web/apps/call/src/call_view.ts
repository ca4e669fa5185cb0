/** During the call: wires a `Call` to the elements that show it. */

import {
  Activity,
  type Call,
  DeviceError,
  type Kind,
  type Message,
  type NetworkQuality,
  type OwnMedia,
  Player,
  Transcript,
} from "@visavis/client";

import { glow } from "./ambience";
import { Captions } from "./captions";
import type { DeviceChoice } from "./device_choice";
import { byId, make } from "./dom";
import { Latency } from "./latency";
import { Menu } from "./menu";
import { Panel } from "./panel";
import { SelfView } from "./self_view";
import { t } from "./strings";
import { setSwitch, type Switch } from "./switches";

const NOTICE_MS = 9000;

/** One bad measurement may be a hiccup. */
const BAD_IN_A_ROW = 2;

export class CallView {
  readonly transcript = new Transcript();
  answers = 0;
  #badNetwork = 0;
  readonly #startedAt = performance.now();
  readonly #over = new AbortController();
  readonly #activity = new Activity();
  readonly #video = byId<HTMLVideoElement>("replica");
  readonly #captions: Captions;
  readonly #latency: Latency;
  readonly #panel: Panel;
  readonly #menu: Menu;
  readonly #player: Player;
  #noticeTimer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param call a call that is connected
   * @param microphone what the call was joined with
   */
  constructor(
    readonly call: Call,
    readonly own: OwnMedia,
    choice: DeviceChoice,
    private microphone: MediaStreamTrack | null,
  ) {
    const signal = this.#over.signal;
    const name = call.conversation.persona.persona_name;
    this.#captions = new Captions(this.transcript, name);
    this.#latency = new Latency(signal);
    this.#panel = new Panel(this.transcript, name, (text) => this.#write(text), signal);
    this.#menu = new Menu(this.#video, choice, call.takes("screen"), signal);
    new SelfView(own, call, signal);
    glow(this.#video, signal);
    setSwitch("captions", "on");
    this.#listen(signal);
    byId("notice").replaceChildren();
    byId("people").hidden = true;
    this.useSpeaker(choice.speakerId);
    this.#player = new Player(call, this.#video);
    this.#player.on("blocked", () => this.#drawTap());
    this.#activity.watch(call, signal);
    this.#followDevices();
    this.#drawShown();
    if (!own.tracks.microphone) {
      this.#panel.show();
      this.#notify(t.textMode);
    }
  }

  get seconds(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }

  press(name: Switch): void {
    if (name === "captions") {
      this.#captions.shown = !this.#captions.shown;
      setSwitch("captions", this.#captions.shown ? "on" : "off");
    } else if (name === "panel") this.#panel.open ? this.#panel.close() : this.#panel.show();
    else if (name === "more") this.#menu.open ? this.#menu.close() : this.#menu.show();
    else if (name === "screen") void this.#toggleScreen();
  }

  useSpeaker(speakerId: string): void {
    if (!("setSinkId" in this.#video)) return;
    if (speakerId || this.#video.sinkId) {
      this.#video.setSinkId(speakerId).catch((error) => console.warn("speaker not usable:", error));
    }
  }

  /** The call is over. */
  close(): void {
    this.#over.abort();
    this.#player.close();
    this.transcript.finish();
    this.#captions.clear();
    this.#menu.close({ quietly: true });
    clearTimeout(this.#noticeTimer);
    if (document.pictureInPictureElement) document.exitPictureInPicture().catch(() => {});
  }

  #listen(signal: AbortSignal): void {
    const { call, own } = this;
    this.#activity.on("change", () => this.#draw());
    call.on("message", (message) => this.#receive(message), { signal });
    call.on("state", (state) => state === "reconnecting" && this.#captions.clear(), { signal });
    call.on("network", (quality) => this.#drawNetwork(quality), { signal });
    call.on("shown", () => this.#drawShown(), { signal });
    own.on("change", () => this.#followDevices(), { signal });
    own.on("lost", (kind: Kind) => this.#notify(t.deviceLost[kind]), { signal });
    this.#video.addEventListener("loadeddata", () => this.#draw(), { signal });
    byId("leave").addEventListener("click", () => void call.leave(), { signal });
    byId("stop").addEventListener("click", () => call.interrupt(), { signal });
    byId("tap").addEventListener("click", () => void this.#player.play(), { signal });
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.#closeOne(), { signal });
  }

  #receive(message: Message): void {
    this.transcript.follow(message);
    switch (message.event_type) {
      case "conversation.latency":
        this.answers += 1;
        return this.#latency.add(message.properties);
      case "conversation.participant_joined":
      case "conversation.participant_left":
        return this.#drawPeople(message.properties.participant_count);
      case "conversation.error":
        // A message that this server does not know, because it is older: nothing for the person to do.
        if (message.properties.field === "event_type") return;
        return this.#notify(String(message.properties.message ?? ""));
    }
  }

  #followDevices(): void {
    const { microphone, camera } = this.own.tracks;
    if (this.own.asking) return;
    void this.call.setCamera(camera);
    if (microphone === this.microphone) return;
    this.microphone = microphone;
    void this.call.setMicrophone(microphone);
    if (microphone) byId("notice").replaceChildren();
  }

  async #toggleScreen(): Promise<void> {
    this.#menu.close({ quietly: true });
    if (this.call.shown.screen) return this.call.stopScreen();
    if (!this.call.takes("screen")) return this.#notify(t.noEyes);
    try {
      await this.call.shareScreen();
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      this.#notify(t.noScreen);
    }
  }

  /** @returns whether it was sent */
  #write(text: string): boolean {
    if (!this.call.respond(text)) {
      this.#notify(t.notSent);
      return false;
    }
    this.transcript.addTyped(text);
    this.#activity.become("thinking");
    return true;
  }

  #draw(): void {
    const { doing } = this.#activity;
    byId("call").dataset.doing = doing;
    byId("state-text").textContent = t.states[doing];
    byId("stop").hidden = doing !== "speaking";
    const { pictures } = this.call;
    const waiting = doing === "connecting" || doing === "reconnecting" || (pictures && this.#video.readyState < 2);
    byId("veil").hidden = pictures && !waiting;
    byId("veil-text").textContent = waiting ? t.states[doing === "reconnecting" ? doing : "connecting"] : "";
  }

  #drawTap(): void {
    byId("tap").hidden = !this.#player.blocked;
  }

  /** Whoever talks with the replica alone needs not be told. */
  #drawPeople(count: number): void {
    byId("people").hidden = count < 2;
    byId("people-count").textContent = String(count);
    byId("people-text").textContent = t.people(count);
  }

  #drawNetwork({ level }: NetworkQuality): void {
    const bad = level === "poor" || level === "lost";
    this.#badNetwork = bad ? this.#badNetwork + 1 : 0;
    byId("weak").hidden = level !== "lost" && this.#badNetwork < BAD_IN_A_ROW;
  }

  #drawShown(): void {
    const shared = this.call.shown.screen !== null;
    setSwitch("screen", shared ? "on" : "off");
    byId("shared").hidden = !shared;
  }

  #closeOne(): void {
    if (this.#menu.open) this.#menu.close();
    else if (this.#latency.open) this.#latency.close({ focus: true });
    else if (this.#panel.open) this.#panel.close();
  }

  #notify(text: string): void {
    if (!text) return;
    byId("notice").replaceChildren(make("p", "", text));
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(() => byId("notice").replaceChildren(), NOTICE_MS);
  }
}
