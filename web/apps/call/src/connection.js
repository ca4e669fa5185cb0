// @ts-check
/** One peer connection to the server: sound both ways, pictures and events this way. Not reusable once lost. */

import { CallError } from "./errors.js";

const GATHER_MS = 1000;
const CONNECT_MS = 15_000;
const FAREWELL_MS = 400;
const HEARTBEAT_MS = 1000;
const MISSED_HEARTBEATS = 4;

/** @typedef {(sdp: string) => Promise<string>} Exchange Takes our offer to the server, brings its answer. */

/**
 * Events: `message` (`detail` is the decoded object) and `lost`, at most once, when the server is gone.
 */
export class Connection extends EventTarget {
  #peer;
  #channel;
  #audio;
  #missed = 0;
  #heard = false;
  #closed = false;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #watch;

  /**
   * @param {RTCIceServer[]} iceServers
   * @param {MediaStreamTrack | null} microphone
   * @param {boolean} pictures whether the replica is seen
   */
  constructor(iceServers, microphone, pictures) {
    super();
    this.#peer = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    this.#channel = this.#peer.createDataChannel("events", { ordered: true });
    // Also without a microphone, so that one can come later without a new connection.
    this.#audio = this.#peer.addTransceiver(microphone ?? "audio", { direction: "sendrecv" });
    if (pictures) this.#peer.addTransceiver("video", { direction: "recvonly" });
    /** The tracks of the replica, in one stream so that a single element plays them. */
    this.stream = new MediaStream(this.#peer.getReceivers().map((receiver) => receiver.track));
    this.#peer.getReceivers().forEach(playSoon);
    this.#channel.addEventListener("message", (event) => this.#receive(event.data));
    this.#channel.addEventListener("close", () => this.#lose());
    this.#peer.addEventListener("connectionstatechange", () => {
      if (this.#peer.connectionState === "failed") this.#lose();
    });
  }

  /**
   * Returns when messages can flow.
   * @param {Exchange} exchange
   */
  async open(exchange) {
    try {
      await this.#peer.setLocalDescription();
      await this.#gathered();
      const sdp = await exchange(/** @type {RTCSessionDescription} */ (this.#peer.localDescription).sdp);
      if (this.#closed) throw new CallError("blocked");
      await this.#peer.setRemoteDescription({ type: "answer", sdp });
      await this.#opened();
    } catch (error) {
      this.close();
      throw error;
    }
    this.#watch = setInterval(() => this.#countHeartbeats(), HEARTBEAT_MS);
  }

  /**
   * @param {object} message
   * @returns {boolean} whether it could be sent
   */
  send(message) {
    if (this.#channel.readyState !== "open") return false;
    this.#channel.send(JSON.stringify(message));
    return true;
  }

  /**
   * Send another track, or nothing.
   * @param {MediaStreamTrack | null} track
   */
  async sendTrack(track) {
    if (!this.#closed) await this.#audio.sender.replaceTrack(track);
  }

  /** Let what was sent arrive, then close. */
  async closeGently() {
    if (this.#channel.readyState === "open") {
      this.#closed = true;
      this.#channel.close();
      await within(FAREWELL_MS, (done) => this.#channel.addEventListener("close", done, { once: true }));
    }
    this.close();
  }

  close() {
    this.#closed = true;
    clearInterval(this.#watch);
    this.#peer.close();
  }

  #gathered() {
    return within(GATHER_MS, (done) => {
      const check = () => this.#peer.iceGatheringState === "complete" && done();
      this.#peer.addEventListener("icegatheringstatechange", check);
      check();
    });
  }

  async #opened() {
    await within(CONNECT_MS, (done) => {
      this.#channel.addEventListener("open", done, { once: true });
      this.addEventListener("lost", done, { once: true });
    });
    if (this.#channel.readyState !== "open") throw new CallError("blocked");
  }

  /** @param {unknown} data */
  #receive(data) {
    let message;
    try {
      message = JSON.parse(String(data));
    } catch {
      console.warn("not JSON on the data channel:", data);
      return;
    }
    if (typeof message?.event_type !== "string") return;
    if (message.event_type === "system.heartbeat") {
      this.#heard = true;
      this.#missed = 0;
    }
    this.dispatchEvent(new CustomEvent("message", { detail: message }));
  }

  // Counted in ticks, not by the clock: a browser that froze the page for a minute has not lost the server.
  #countHeartbeats() {
    this.#missed += 1;
    if (this.#heard && this.#missed > MISSED_HEARTBEATS) this.#lose();
  }

  #lose() {
    if (this.#closed) return;
    this.close();
    this.dispatchEvent(new Event("lost"));
  }
}

/**
 * Ask for the smallest delay before playing that the browser offers.
 * @param {RTCRtpReceiver} receiver
 */
function playSoon(receiver) {
  const hints = /** @type {{jitterBufferTarget?: number | null, playoutDelayHint?: number | null}} */ (receiver);
  if ("jitterBufferTarget" in hints) hints.jitterBufferTarget = 0;
  else if ("playoutDelayHint" in hints) hints.playoutDelayHint = 0;
}

/**
 * Wait until `start` calls back, but no longer than `ms`.
 * @param {number} ms
 * @param {(done: () => void) => void} start
 * @returns {Promise<void>}
 */
function within(ms, start) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    start(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
