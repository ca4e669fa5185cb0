/** A live call with a replica, for any page: no elements in here. Owner of the call's state and of what it sends. */

import { Connection, type Shown } from "./connection";
import { openScreen } from "./devices";
import { Emitter } from "./emitter";
import { CallError } from "./errors";
import type {
  Emotion,
  EventType,
  Interactions,
  InteractionType,
  Message,
  MessageOf,
  Sensitivity,
} from "./protocol";
import { QualityMeter, type NetworkQuality } from "./quality";
import { type Conversation, lookUp, offer } from "./signalling";

/** The server keeps a conversation for 30 s after it has noticed that the person is gone. */
const RECONNECT_MS = 25_000;
const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 2000;
const MEASURE_MS = 2000;
const MISSED_HEARTBEATS = 2;

/** Reasons that may pass; `taken` is how our own lost connection looks until the server has noticed. */
const PASSING = new Set(["taken", "busy", "unreachable", "blocked"]);

export type State = "connecting" | "connected" | "reconnecting" | "ended";

/** Why a call ended: by us (`left`), by a lost server (`lost`), or what the server said. */
export type EndReason = "left" | "lost" | (string & {});

export type CallEvents = {
  state: State;
  /** The replica's tracks; another stream comes with each new connection. */
  stream: MediaStream;
  /** Every event of the server, of known and of unknown types. */
  message: Message;
  network: NetworkQuality;
  /** What the person shows has changed. */
  shown: Record<Shown, MediaStreamTrack | null>;
} & { [Type in EventType]: MessageOf<Type> };

export interface JoinOptions {
  /** Null or left out: join without one; `setMicrophone` may bring it later. */
  microphone?: MediaStreamTrack | null;
  /** Shown to the replica; left out: it sees nothing. */
  camera?: MediaStreamTrack | null;
}

/**
 * Join a conversation.
 *
 *     const call = await join("https://server/c/c123", { microphone: track });
 *     video.srcObject = call.stream;
 *     call.on("conversation.utterance", ({ properties }) => console.log(properties.role, properties.speech));
 *
 * The call reconnects by itself for some seconds when the connection breaks, and the conversation goes on.
 *
 * @param url the conversation's link
 * @throws CallError
 */
export async function join(url: string, { microphone = null, camera = null }: JoinOptions = {}): Promise<Call> {
  const conversation = await lookUp(url);
  if (conversation.status === "ended") throw new CallError("ended");
  const call = new Call(url, conversation, microphone, camera);
  await call.connect();
  return call;
}

export class Call extends Emitter<CallEvents> {
  state: State = "connecting";
  endReason: EndReason | null = null;
  /** The replica's tracks, for one `<video>`. */
  stream = new MediaStream();
  /** What was measured last. */
  network: NetworkQuality | null = null;
  /** Whether the replica is seen. */
  readonly pictures: boolean;
  #connection: Connection | null = null;
  #meter = new QualityMeter();
  #measuring: ReturnType<typeof setInterval> | undefined;
  #microphone: MediaStreamTrack | null;
  #shown: Record<Shown, MediaStreamTrack | null>;

  /** Use `join`. */
  constructor(
    readonly url: string,
    readonly conversation: Conversation,
    microphone: MediaStreamTrack | null,
    camera: MediaStreamTrack | null,
  ) {
    super();
    this.pictures = !(conversation.audio_only || conversation.chat);
    this.#microphone = microphone;
    this.#shown = { camera, screen: null };
  }

  /** The replica's voice. */
  get audioTrack(): MediaStreamTrack | null {
    return this.stream.getAudioTracks()[0] ?? null;
  }

  /** The replica's picture; null in a call without. */
  get videoTrack(): MediaStreamTrack | null {
    return this.stream.getVideoTracks()[0] ?? null;
  }

  /** Whether the server takes what would be shown so. */
  takes(what: Shown): boolean {
    return this.conversation.sees !== false && (this.#connection?.mid(what) ?? null) !== null;
  }

  /** What the replica is shown: its own copies are not made, so these are the tracks that were given. */
  get shown(): Readonly<Record<Shown, MediaStreamTrack | null>> {
    return {
      camera: this.takes("camera") ? this.#shown.camera : null,
      screen: this.takes("screen") ? this.#shown.screen : null,
    };
  }

  /** Used by `join`, and to connect again. */
  async connect(): Promise<void> {
    const connection = new Connection(this.conversation.ice_servers ?? [], this.#microphone, this.pictures);
    this.#connection = connection;
    connection.on("message", (message) => this.#receive(message as Message));
    connection.on("missed", (missed) => missed === MISSED_HEARTBEATS && this.#measured({ ...UNKNOWN, level: "lost" }));
    await connection.open((sdp) => offer(this.url, sdp));
    if (this.state === "ended") return connection.close();
    connection.on("lost", () => void this.#restore());
    this.stream = connection.stream;
    this.emit("stream", this.stream);
    await this.#show();
    this.#meter = new QualityMeter();
    this.#measuring ??= setInterval(() => void this.#measure(), MEASURE_MS);
    this.#become("connected");
  }

  /**
   * Send a message of the interactions protocol.
   *
   * @returns whether it could be sent
   */
  send<Type extends InteractionType>(eventType: Type, properties?: Interactions[Type]): boolean {
    const message = { message_type: eventType.split(".")[0], event_type: eventType };
    return (
      this.#connection?.send({ ...message, conversation_id: this.conversation.conversation_id, properties }) ?? false
    );
  }

  /** Say something in writing, which the replica answers. */
  respond(text: string): boolean {
    return this.send("conversation.respond", { text });
  }

  /** Let the replica say exactly this, after what it is saying. */
  echo(text: string): boolean {
    return this.send("conversation.echo", { modality: "text", text });
  }

  /**
   * Let the replica say exactly this sound.
   *
   * @param pcm 16-bit mono samples, at most 24000 at a time
   * @param inferenceId the same for all chunks of one utterance
   * @param done whether this chunk is the last
   */
  echoSound(pcm: Int16Array, sampleRate: number, inferenceId: string, done: boolean): boolean {
    const audio = base64(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength));
    return this.send("conversation.echo", {
      modality: "audio", audio, sample_rate: sampleRate, inference_id: inferenceId, done,
    });
  }

  /** Stop the replica. */
  interrupt(): boolean {
    return this.send("conversation.interrupt");
  }

  /** Add to what the language model knows. */
  appendContext(context: string): boolean {
    return this.send("conversation.append_llm_context", { context });
  }

  /** Replace the language model's prompt. */
  overwriteContext(context: string): boolean {
    return this.send("conversation.overwrite_llm_context", { context });
  }

  /** How long a pause ends the person's turn, and how easily they interrupt. */
  setSensitivity({ pause, interrupt }: { pause?: Sensitivity; interrupt?: Sensitivity }): boolean {
    let sent = true;
    if (pause) sent = this.send("conversation.sensitivity", { participant_pause_sensitivity: pause });
    if (interrupt) sent = this.send("conversation.sensitivity", { participant_interrupt_sensitivity: interrupt }) && sent;
    return sent;
  }

  setEmotion(emotion: Emotion): boolean {
    return this.send("conversation.set_emotion", { emotion });
  }

  /** Answer a `conversation.tool_call`. */
  answerToolCall(result: Interactions["conversation.tool_result"]): boolean {
    return this.send("conversation.tool_result", result);
  }

  /** Speak with another microphone, or with none. */
  async setMicrophone(track: MediaStreamTrack | null): Promise<void> {
    this.#microphone = track;
    await this.#connection?.sendSound(track);
  }

  /** Show the replica another camera, or none. */
  async setCamera(track: MediaStreamTrack | null): Promise<void> {
    if (track === this.#shown.camera) return;
    this.#shown.camera = track;
    await this.#show();
  }

  /**
   * Show the replica a screen or a window, which the browser lets the person choose.
   *
   * @throws DeviceError when the person chooses none, or the browser cannot
   */
  async shareScreen(): Promise<MediaStreamTrack> {
    const track = await openScreen();
    this.#shown.screen?.stop();
    this.#shown.screen = track;
    track.addEventListener("ended", () => track === this.#shown.screen && void this.stopScreen());
    await this.#show();
    return track;
  }

  async stopScreen(): Promise<void> {
    this.#shown.screen?.stop();
    this.#shown.screen = null;
    await this.#show();
  }

  /** The browser's own WebRTC statistics; null while there is no connection. */
  async statistics(): Promise<RTCStatsReport | null> {
    return (await this.#connection?.statistics()) ?? null;
  }

  /** Say goodbye and hang up. Tracks that were given stay open; they are yours. */
  async leave(): Promise<void> {
    if (this.state === "ended") return;
    this.send("conversation.leave");
    const connection = this.#connection;
    this.#end("left");
    await connection?.closeGently();
  }

  /** Hang up at once, for a page that is being closed. */
  abandon(): void {
    this.send("conversation.leave");
    this.#end("left");
    this.#connection?.close();
  }

  async #show(): Promise<void> {
    const connection = this.#connection;
    if (!connection || (connection.mid("camera") ?? connection.mid("screen")) === null) return;
    const { camera, screen } = this.shown;
    await Promise.all([connection.show("camera", camera), connection.show("screen", screen)]);
    this.send("conversation.media", {
      camera_mid: camera && connection.mid("camera"),
      screen_mid: screen && connection.mid("screen"),
    });
    this.emit("shown", this.shown);
  }

  async #restore(): Promise<void> {
    if (this.state !== "connected") return;
    this.#become("reconnecting");
    const deadline = performance.now() + RECONNECT_MS;
    let pauseMs = FIRST_PAUSE_MS;
    while (this.#stillWanted()) {
      try {
        return await this.connect();
      } catch (error) {
        const { reason, endReason } = error instanceof CallError ? error : new CallError("refused", String(error));
        if (!PASSING.has(reason)) return this.#end(endReason ?? reason);
        if (performance.now() + pauseMs > deadline) return this.#end("lost");
      }
      await online(pauseMs);
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    }
  }

  #stillWanted(): boolean {
    return this.state !== "ended";
  }

  #receive(message: Message): void {
    if (message.event_type === "system.heartbeat") this.send("system.pong");
    // Whoever listens need not ask whether there are properties.
    const whole = { ...message, properties: message.properties ?? {} } as Message;
    this.emit("message", whole);
    this.emit(whole.event_type, whole as never);
    if (whole.event_type === "conversation.ended") {
      this.#end(String(whole.properties.reason ?? "ended"));
      this.#connection?.close();
    }
  }

  async #measure(): Promise<void> {
    if (this.state !== "connected") return;
    const report = await this.#connection?.statistics().catch(() => null);
    if (report) this.#measured(this.#meter.measure(report));
  }

  #measured(quality: NetworkQuality): void {
    this.network = quality;
    this.emit("network", quality);
  }

  #end(reason: EndReason): void {
    if (this.state === "ended") return;
    this.endReason = reason;
    clearInterval(this.#measuring);
    this.#shown.screen?.stop();
    this.#become("ended");
  }

  #become(state: State): void {
    this.state = state;
    this.emit("state", state);
  }
}

const UNKNOWN = { roundTripMs: null, loss: 1, jitterMs: 0, framesPerSecond: null, receivedKbps: 0, sentKbps: 0 };

/** Wait for `ms`, or until the browser has a network again. */
function online(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
  });
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768));
  return btoa(text);
}
