// @ts-check
/** During the call: wires a `Call` to the elements that show it. */

import { Activity } from "./activity.js";
import { glow } from "./ambience.js";
import { Captions } from "./captions.js";
import { byId, make } from "./dom.js";
import { Hush } from "./hush.js";
import { Latency } from "./latency.js";
import { Panel } from "./panel.js";
import { SelfView } from "./self_view.js";
import { DEVICE_LOST, NOT_SENT, STATES, TEXT_MODE } from "./strings.js";
import { setSwitch } from "./switches.js";
import { Transcript } from "./transcript.js";

const NOTICE_MS = 9000;

export class CallView {
  transcript = new Transcript();
  answers = 0;
  #startedAt = performance.now();
  #over = new AbortController();
  #activity = new Activity();
  #video = /** @type {HTMLVideoElement} */ (byId("replica"));
  #hush = new Hush(this.#video);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #noticeTimer;
  #call;
  #own;
  /** The microphone that the call has. */
  #microphone;
  #captions;
  #latency;
  #panel;

  /**
   * @param {import("./call.js").Call} call a call that is connected
   * @param {import("./own_media.js").OwnMedia} own
   * @param {MediaStreamTrack | null} microphone what the call was joined with
   * @param {string} speakerId
   */
  constructor(call, own, microphone, speakerId) {
    const signal = this.#over.signal;
    const name = call.conversation.persona.persona_name;
    this.#call = call;
    this.#own = own;
    this.#microphone = microphone;
    this.#captions = new Captions(this.transcript, name);
    this.#latency = new Latency(signal);
    this.#panel = new Panel(this.transcript, name, (text) => this.#write(text), signal);
    new SelfView(own, signal);
    glow(this.#video, signal);

    this.#activity.addEventListener("change", () => this.#draw());
    call.addEventListener("message", (event) => this.#receive(/** @type {CustomEvent} */ (event).detail), { signal });
    call.addEventListener("state", () => this.#followCall(), { signal });
    call.addEventListener("stream", () => this.#play(), { signal });
    own.addEventListener("change", () => this.#followMicrophone(), { signal });
    own.addEventListener("lost", (event) => this.#tellLost(/** @type {CustomEvent} */ (event).detail), { signal });
    this.#video.addEventListener("loadeddata", () => this.#draw(), { signal });
    byId("leave").addEventListener("click", () => call.leave(), { signal });
    byId("stop").addEventListener("click", () => call.interrupt(), { signal });
    byId("tap").addEventListener("click", () => this.#play(), { signal });
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.#closeOne(), { signal });

    setSwitch("captions", "on");
    byId("notice").replaceChildren();
    if (speakerId) this.#video.setSinkId(speakerId).catch((error) => console.warn("speaker not usable:", error));
    this.#play();
    this.#followCall();
    this.#followMicrophone();
    if (!own.tracks.microphone) {
      this.#panel.show();
      this.#notify(TEXT_MODE);
    }
  }

  get seconds() {
    return (performance.now() - this.#startedAt) / 1000;
  }

  /** @param {"captions" | "panel"} name */
  press(name) {
    if (name === "captions") {
      this.#captions.shown = !this.#captions.shown;
      setSwitch("captions", this.#captions.shown ? "on" : "off");
    } else if (this.#panel.open) this.#panel.close();
    else this.#panel.show();
  }

  /** The call is over. */
  close() {
    this.#over.abort();
    this.#hush.end();
    this.transcript.finish();
    this.#captions.clear();
    clearTimeout(this.#noticeTimer);
    this.#video.srcObject = null;
  }

  /** @param {import("./call.js").Message} message */
  #receive(message) {
    this.#hush.follow(message);
    this.#activity.follow(message);
    this.transcript.follow(message);
    const properties = message.properties ?? {};
    switch (message.event_type) {
      case "conversation.latency":
        this.answers += 1;
        return this.#latency.add(properties);
      case "conversation.error":
        return this.#notify(String(properties.message ?? ""));
    }
  }

  #followCall() {
    if (this.#call.state === "connected") this.#activity.become("listening");
    else if (this.#call.state === "reconnecting") {
      this.#activity.become("reconnecting");
      this.#captions.clear();
    }
  }

  #followMicrophone() {
    const microphone = this.#own.tracks.microphone;
    if (this.#own.asking || microphone === this.#microphone) return;
    this.#microphone = microphone;
    this.#call.setMicrophone(microphone);
    if (microphone) byId("notice").replaceChildren();
  }

  /**
   * @param {string} text
   * @returns {boolean} whether it was sent
   */
  #write(text) {
    if (!this.#call.respond(text)) {
      this.#notify(NOT_SENT);
      return false;
    }
    this.transcript.addTyped(text);
    this.#activity.become("thinking");
    return true;
  }

  async #play() {
    const video = this.#video;
    byId("tap").hidden = true;
    if (video.srcObject !== this.#call.stream) video.srcObject = this.#call.stream;
    video.muted = false;
    try {
      await video.play();
    } catch (error) {
      // Another stream took its place, and that one plays itself.
      if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return;
      video.muted = true;
      byId("tap").hidden = false;
      video.play().catch(() => {});
    }
  }

  #draw() {
    const { doing } = this.#activity;
    byId("call").dataset.doing = doing;
    byId("state-text").textContent = STATES[doing];
    byId("stop").hidden = doing !== "speaking";
    const pictures = this.#call.pictures;
    const waiting = doing === "connecting" || doing === "reconnecting" || (pictures && this.#video.readyState < 2);
    byId("veil").hidden = pictures && !waiting;
    byId("veil-text").textContent = waiting ? STATES[doing === "reconnecting" ? doing : "connecting"] : "";
  }

  #closeOne() {
    if (this.#latency.open) this.#latency.close({ focus: true });
    else if (this.#panel.open) this.#panel.close();
  }

  /** @param {import("./devices.js").Kind} kind */
  #tellLost(kind) {
    this.#notify(DEVICE_LOST[kind]);
  }

  /** @param {string} text */
  #notify(text) {
    if (!text) return;
    byId("notice").replaceChildren(make("p", "", text));
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(() => byId("notice").replaceChildren(), NOTICE_MS);
  }
}
