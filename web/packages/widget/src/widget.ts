/**
 * `<visavis-widget src="https://server/c/ID">`: a button in the corner of a page that becomes a talking replica.
 *
 * Attributes: `src` (the conversation's link), `transparent` (take the green screen out), `inline` (stay where the
 * element is), `muted` (begin without a microphone), `label`, `note` (the button's words), `lang` (en, de, es, zh; by
 * default the browser's). Events: `visavis-state`
 * (`detail` is the state), `visavis-message` (`detail` is an event of the interactions protocol), `visavis-error`.
 * The page's origin must be among the server's `VISAVIS_ALLOWED_ORIGINS`.
 */

import { type Call, CallError, DeviceError, join, KeyedPicture, lookUp, openDevice, Player, type Words, words } from "@visavis/client";

import { STYLE } from "./style";

const ICONS = {
  microphone: "M9 6a3 3 0 0 1 6 0v5a3 3 0 0 1-6 0zM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3",
  leave: "m6.5 6.5 11 11M17.5 6.5l-11 11",
};

export class Widget extends HTMLElement {
  static readonly observedAttributes = ["src"];
  /** The call, while there is one: for pages that send interactions of their own. */
  call: Call | null = null;
  readonly #root = this.attachShadow({ mode: "open" });
  #microphone: MediaStreamTrack | null = null;
  #player: Player | null = null;
  #keyed: KeyedPicture | null = null;
  #joining = false;

  connectedCallback(): void {
    const style = new CSSStyleSheet();
    style.replaceSync(STYLE);
    this.#root.adoptedStyleSheets = [style];
    void this.#invite();
  }

  disconnectedCallback(): void {
    this.call?.abandon();
  }

  attributeChangedCallback(): void {
    if (this.isConnected && !this.call) void this.#invite();
  }

  /** Begin the call; a press of the button does it. */
  async start(): Promise<void> {
    if (this.call || this.#joining) return;
    this.#joining = true;
    try {
      this.#microphone = this.hasAttribute("muted") ? null : await openDevice("microphone").catch(onlyDevice);
      this.call = await join(this.src, { microphone: this.#microphone });
      this.call.on("message", (message) => this.#tell("message", message));
      this.call.on("state", (state) => {
        this.#tell("state", state);
        if (state === "ended") void this.#over();
      });
      this.#show(this.call);
      this.#tell("state", "connected");
    } catch (error) {
      this.#microphone?.stop();
      this.#tell("error", error);
      this.#invite(error instanceof CallError ? this.#words.noCall[error.reason] : String(error));
    } finally {
      this.#joining = false;
    }
  }

  async leave(): Promise<void> {
    await this.call?.leave();
  }

  get #words(): Words {
    return words(this.lang ? [this.lang] : navigator.languages);
  }

  /** The conversation's link. */
  get src(): string {
    return new URL(this.getAttribute("src") ?? "", document.baseURI).href;
  }

  async #invite(problem = ""): Promise<void> {
    const label = this.getAttribute("label");
    const button = make("button", { className: "open", type: "button", part: "button" });
    const words = make("span", { textContent: label ?? "…" });
    const note = problem || (this.getAttribute("note") ?? this.#words.disclosure);
    words.append(make("small", { textContent: note }));
    const monogram = make("span", { className: "monogram", ariaHidden: "true" });
    button.append(monogram, words);
    button.addEventListener("click", () => void this.start());
    this.#root.replaceChildren(button);
    if (!this.hasAttribute("src")) return;
    try {
      const { persona } = await lookUp(this.src);
      monogram.textContent = [...persona.persona_name][0] ?? "";
      if (!label && words.firstChild) words.firstChild.textContent = this.#words.talkWith(persona.persona_name);
    } catch (error) {
      this.hidden = !problem;
      this.#tell("error", error);
    }
  }

  #show(call: Call): void {
    const transparent = this.hasAttribute("transparent");
    const box = make("div", { className: "call", part: "call" });
    const name = call.conversation.persona.persona_name;
    const video = make("video", { className: transparent ? "keyed" : "picture", autoplay: true, playsInline: true, ariaLabel: name });
    box.append(video);
    if (transparent) box.append(this.#transparent(video, name));
    const tap = make("button", { className: "tap", type: "button", textContent: this.#words.tapToHear, hidden: true });
    const caption = make("p", { className: "caption", hidden: true, dir: "auto", part: "caption" });
    box.append(caption, tap, this.#controls());
    this.#root.replaceChildren(box);
    const player = (this.#player = new Player(call, video));
    player.on("blocked", (blocked) => (tap.hidden = !blocked));
    tap.addEventListener("click", () => void player.play());
    call.on("conversation.utterance.streaming", ({ properties }) => {
      caption.hidden = !properties.speech;
      caption.textContent = properties.speech.slice(-120);
    });
    call.on("conversation.utterance", () => setTimeout(() => (caption.hidden = true), 3000));
  }

  #transparent(video: HTMLVideoElement, name: string): HTMLCanvasElement {
    const canvas = make("canvas", { className: "picture", role: "img", ariaLabel: name, part: "picture" });
    this.#keyed = new KeyedPicture(video, canvas);
    return canvas;
  }

  #controls(): HTMLElement {
    const controls = make("div", { className: "controls", part: "controls" });
    const mute = make("button", { type: "button", ariaLabel: this.#words.mute, ariaPressed: String(!this.#microphone) });
    mute.append(icon("microphone"));
    mute.addEventListener("click", () => void this.#toggle(mute));
    const leave = make("button", { type: "button", className: "leave", ariaLabel: this.#words.leave });
    leave.append(icon("leave"));
    leave.addEventListener("click", () => void this.leave());
    controls.append(mute, leave);
    return controls;
  }

  async #toggle(button: HTMLButtonElement): Promise<void> {
    if (this.#microphone) this.#microphone.enabled = !this.#microphone.enabled;
    else {
      this.#microphone = await openDevice("microphone").catch(onlyDevice);
      await this.call?.setMicrophone(this.#microphone);
    }
    button.ariaPressed = String(!this.#microphone?.enabled);
  }

  async #over(): Promise<void> {
    this.#keyed?.close();
    this.#player?.close();
    this.#microphone?.stop();
    this.#keyed = this.#player = this.#microphone = this.call = null;
    await this.#invite();
  }

  #tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(`visavis-${name}`, { detail, bubbles: true, composed: true }));
  }
}

/** Without a microphone one can still listen. */
function onlyDevice(error: unknown): null {
  if (!(error instanceof DeviceError)) throw error;
  return null;
}

function icon(name: keyof typeof ICONS): SVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  { part, ...properties }: Partial<Omit<HTMLElementTagNameMap[K], "part">> & { part?: string } = {} as never,
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  if (part) element.setAttribute("part", part);
  return element;
}
