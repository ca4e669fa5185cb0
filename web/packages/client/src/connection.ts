/** One peer connection to the server: sound both ways, pictures and events. Not reusable once lost. */

import { Emitter } from "./emitter";
import { CallError } from "./errors";

const GATHER_MS = 1000;
const CONNECT_MS = 15_000;
const FAREWELL_MS = 400;
const HEARTBEAT_MS = 1000;
const MISSED_HEARTBEATS = 4;

/** Enough to see a face or to read a screen, and little beside the replica's own video. */
const CAMERA: RTCRtpEncodingParameters = { maxBitrate: 350_000, maxFramerate: 12 };
const SCREEN: RTCRtpEncodingParameters = { maxBitrate: 600_000, maxFramerate: 5 };

/** Takes our offer to the server, brings its answer. */
export type Exchange = (sdp: string) => Promise<string>;

/** What the person shows. */
export type Shown = "camera" | "screen";

interface Happenings {
  /** A decoded message. */
  message: { event_type: string };
  /** At most once: the server is gone. */
  lost: undefined;
  /** How many heartbeats in a row did not come. */
  missed: number;
}

export class Connection extends Emitter<Happenings> {
  /** The tracks of the replica, in one stream so that a single element plays them. */
  readonly stream: MediaStream;
  readonly #peer: RTCPeerConnection;
  readonly #channel: RTCDataChannel;
  readonly #audio: RTCRtpTransceiver;
  readonly #videos: Partial<Record<Shown, RTCRtpTransceiver>> = {};
  #missed = 0;
  #heard = false;
  #closed = false;
  #watch: ReturnType<typeof setInterval> | undefined;

  /** @param pictures whether the replica is seen, and may see */
  constructor(iceServers: RTCIceServer[], microphone: MediaStreamTrack | null, pictures: boolean) {
    super();
    this.#peer = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    this.#channel = this.#peer.createDataChannel("events", { ordered: true });
    // All that may be sent is agreed on now, so that it can come and go later without another offer.
    this.#audio = this.#peer.addTransceiver(microphone ?? "audio", { direction: "sendrecv" });
    if (pictures) {
      this.#videos.camera = this.#peer.addTransceiver("video", { direction: "sendrecv", sendEncodings: [CAMERA] });
      this.#videos.screen = this.#peer.addTransceiver("video", { direction: "sendonly", sendEncodings: [SCREEN] });
    }
    const receivers = [this.#audio, this.#videos.camera].flatMap((one) => (one ? [one.receiver] : []));
    this.stream = new MediaStream(receivers.map((receiver) => receiver.track));
    receivers.forEach(playSoon);
    this.#channel.addEventListener("message", (event) => this.#receive(event.data));
    this.#channel.addEventListener("close", () => this.#lose());
    this.#peer.addEventListener("connectionstatechange", () => {
      if (this.#peer.connectionState === "failed") this.#lose();
    });
  }

  /** Returns when messages can flow. */
  async open(exchange: Exchange): Promise<void> {
    try {
      await this.#peer.setLocalDescription();
      await this.#gathered();
      const sdp = await exchange(this.#peer.localDescription?.sdp ?? "");
      if (this.#closed) throw new CallError("blocked");
      await this.#peer.setRemoteDescription({ type: "answer", sdp });
      await this.#opened();
    } catch (error) {
      this.close();
      throw error;
    }
    this.#watch = setInterval(() => this.#countHeartbeats(), HEARTBEAT_MS);
  }

  /** @returns whether it could be sent */
  send(message: object): boolean {
    if (this.#channel.readyState !== "open") return false;
    this.#channel.send(JSON.stringify(message));
    return true;
  }

  /** Speak with another track, or with none. */
  async sendSound(track: MediaStreamTrack | null): Promise<void> {
    if (!this.#closed) await this.#audio.sender.replaceTrack(track);
  }

  /** The id under which the server knows what is shown so; null where it does not take it. */
  mid(what: Shown): string | null {
    const transceiver = this.#videos[what];
    return transceiver?.currentDirection?.startsWith("send") ? transceiver.mid : null;
  }

  /** Show something, or no longer. */
  async show(what: Shown, track: MediaStreamTrack | null): Promise<void> {
    if (!this.#closed && this.mid(what) !== null) await this.#videos[what]?.sender.replaceTrack(track);
  }

  statistics(): Promise<RTCStatsReport> {
    return this.#peer.getStats();
  }

  /** Let what was sent arrive, then close. */
  async closeGently(): Promise<void> {
    if (this.#channel.readyState === "open") {
      this.#closed = true;
      this.#channel.close();
      await within(FAREWELL_MS, (done) => this.#channel.addEventListener("close", done, { once: true }));
    }
    this.close();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#watch);
    this.#peer.close();
  }

  #gathered(): Promise<void> {
    return within(GATHER_MS, (done) => {
      const check = () => this.#peer.iceGatheringState === "complete" && done();
      this.#peer.addEventListener("icegatheringstatechange", check);
      check();
    });
  }

  async #opened(): Promise<void> {
    await within(CONNECT_MS, (done) => {
      this.#channel.addEventListener("open", done, { once: true });
      this.once("lost", done);
    });
    if (this.#channel.readyState !== "open") throw new CallError("blocked");
  }

  #receive(data: unknown): void {
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
      this.#count(0);
    }
    this.emit("message", message);
  }

  // Counted in ticks, not by the clock: a browser that froze the page for a minute has not lost the server.
  #countHeartbeats(): void {
    this.#count(this.#missed + 1);
    if (this.#heard && this.#missed > MISSED_HEARTBEATS) this.#lose();
  }

  #count(missed: number): void {
    const changed = missed !== this.#missed;
    this.#missed = missed;
    if (changed && this.#heard) this.emit("missed", missed);
  }

  #lose(): void {
    if (this.#closed) return;
    this.close();
    this.emit("lost", undefined);
  }
}

/** Ask for the smallest delay before playing that the browser offers. */
function playSoon(receiver: RTCRtpReceiver): void {
  const hints: { jitterBufferTarget?: number | null; playoutDelayHint?: number | null } = receiver;
  if ("jitterBufferTarget" in hints) hints.jitterBufferTarget = 0;
  else if ("playoutDelayHint" in hints) hints.playoutDelayHint = 0;
}

/** Wait until `start` calls back, but no longer than `ms`. */
function within(ms: number, start: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    start(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
