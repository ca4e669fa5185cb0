// @ts-check
/**
 * A live call with a replica, for any page: no DOM in here.
 *
 *     const call = await join({ url: conversationUrl, microphone: track });
 *     video.srcObject = call.stream;
 *     call.addEventListener("message", (event) => console.log(event.detail));
 *
 * The call reconnects by itself for some seconds when the connection breaks.
 */

import { Connection } from "./connection.js";
import { CallError } from "./errors.js";
import { lookUp, offer } from "./signalling.js";

export { CallError, lookUp };

/** The server keeps a conversation for 15 s after it has noticed that the person is gone. */
const RECONNECT_MS = 12_000;
const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 2000;

/** Reasons that may pass; `taken` is how our own lost connection looks until the server has noticed. */
const PASSING = new Set(["taken", "busy", "unreachable", "blocked"]);

/**
 * @typedef {object} Message
 * @property {string} message_type
 * @property {string} event_type
 * @property {string} [conversation_id]
 * @property {number} [timestamp] seconds since 1970
 * @property {number} [turn_idx]
 * @property {string} [inference_id]
 * @property {Record<string, any>} [properties]
 */
/** @typedef {"connecting" | "connected" | "reconnecting" | "ended"} State */
/** @typedef {"left" | "lost" | string} EndReason why a call ended: by us, by a lost server, or what the server said */

/**
 * Join a conversation.
 * @param {object} options
 * @param {string} options.url its link
 * @param {MediaStreamTrack | null} [options.microphone] null joins without one; `setMicrophone` may bring it later
 * @returns {Promise<Call>}
 * @throws {CallError}
 */
export async function join({ url, microphone = null }) {
  const conversation = await lookUp(url);
  if (conversation.status === "ended") throw new CallError("ended");
  const call = new Call(url, conversation, microphone);
  await call.connect();
  return call;
}

/**
 * Events: `state` (look at `state` and `endReason`), `stream` (give the new `stream` to your element) and `message`
 * (`detail` is a `Message`).
 */
export class Call extends EventTarget {
  /** @type {State} */
  state = "connecting";
  /** @type {EndReason | null} */
  endReason = null;
  /** @type {MediaStream} */
  stream = new MediaStream();
  #url;
  #microphone;
  /** @type {Connection | null} */
  #connection = null;

  /**
   * @param {string} url
   * @param {import("./signalling.js").Conversation} conversation
   * @param {MediaStreamTrack | null} microphone
   */
  constructor(url, conversation, microphone) {
    super();
    this.conversation = conversation;
    /** Whether the replica is seen. */
    this.pictures = !(conversation.audio_only || conversation.chat);
    this.#url = url;
    this.#microphone = microphone;
  }

  /** Used by `join`. */
  async connect() {
    const connection = new Connection(this.conversation.ice_servers ?? [], this.#microphone, this.pictures);
    this.#connection = connection;
    connection.addEventListener("message", (event) => this.#receive(/** @type {CustomEvent} */ (event).detail));
    await connection.open((sdp) => offer(this.#url, sdp));
    if (this.state === "ended") {
      connection.close();
      return;
    }
    connection.addEventListener("lost", () => this.#restore());
    this.stream = connection.stream;
    this.dispatchEvent(new Event("stream"));
    this.#become("connected");
  }

  /**
   * Send a message of the interactions protocol.
   * @param {string} eventType such as `conversation.echo`
   * @param {Record<string, unknown>} [properties]
   * @returns {boolean} whether it could be sent
   */
  send(eventType, properties) {
    const message = { message_type: eventType.split(".")[0], event_type: eventType };
    return (
      this.#connection?.send({ ...message, conversation_id: this.conversation.conversation_id, properties }) ?? false
    );
  }

  /**
   * Say something in writing.
   * @param {string} text
   */
  respond(text) {
    return this.send("conversation.respond", { text });
  }

  /** Stop the replica. */
  interrupt() {
    return this.send("conversation.interrupt");
  }

  /**
   * Speak with another microphone, or with none.
   * @param {MediaStreamTrack | null} track
   */
  async setMicrophone(track) {
    this.#microphone = track;
    await this.#connection?.sendTrack(track);
  }

  /** Say goodbye and hang up. */
  async leave() {
    if (this.state === "ended") return;
    this.send("conversation.leave");
    const connection = this.#connection;
    this.#end("left");
    await connection?.closeGently();
  }

  /** Hang up at once, for a page that is being closed. */
  abandon() {
    this.send("conversation.leave");
    this.#end("left");
    this.#connection?.close();
  }

  async #restore() {
    if (this.state !== "connected") return;
    this.#become("reconnecting");
    const deadline = performance.now() + RECONNECT_MS;
    let pauseMs = FIRST_PAUSE_MS;
    while (this.#stillWanted()) {
      try {
        await this.connect();
        return;
      } catch (error) {
        const { reason, endReason } = error instanceof CallError ? error : new CallError("refused");
        if (!PASSING.has(reason)) return this.#end(endReason ?? reason);
        if (performance.now() + pauseMs > deadline) return this.#end("lost");
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    }
  }

  #stillWanted() {
    return this.state !== "ended";
  }

  /** @param {Message} message */
  #receive(message) {
    if (message.event_type === "system.heartbeat") this.send("system.pong");
    this.dispatchEvent(new CustomEvent("message", { detail: message }));
    if (message.event_type === "conversation.ended") {
      this.#end(String(message.properties?.reason ?? "ended"));
      this.#connection?.close();
    }
  }

  /** @param {EndReason} reason */
  #end(reason) {
    if (this.state === "ended") return;
    this.endReason = reason;
    this.#become("ended");
  }

  /** @param {State} state */
  #become(state) {
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}
