/** A call object with the names of daily-js. What a visavis call has no counterpart of is absent, not pretended. */

import {
  type Call,
  CallError,
  Emitter,
  type InteractionType,
  join,
  measureLevel,
  OwnMedia,
} from "@visavis/client";

import { LOCAL, type Participant, participant, REPLICA, REPLICA_USER } from "./participants";

export type MeetingState = "new" | "loading" | "loaded" | "joining-meeting" | "joined-meeting" | "left-meeting" | "error";

/** An event of daily-js: `action` is its name, the rest depends on it. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type DailyEvent = { action: string; callClientId: string; [field: string]: any };

export interface JoinProperties {
  url?: string;
  token?: string;
  userName?: string;
  startVideoOff?: boolean;
  startAudioOff?: boolean;
  [ignored: string]: unknown;
}

const REPORT_MS = 200;
const SPEAKING = 0.15;

export class CallObject extends Emitter<Record<string, DailyEvent>> {
  readonly callClientId = crypto.randomUUID();
  #properties: JoinProperties;
  #state: MeetingState = "new";
  #destroyed = false;
  #call: Call | null = null;
  #own: OwnMedia | null = null;
  #joinedAt = new Date();
  #inputSettings: Record<string, unknown> = {};
  readonly #levels: Record<string, number> = {};
  readonly #observers = new Map<"local" | "remote", () => void>();
  #speaker = "";
  #lines = new AbortController();

  constructor(properties: JoinProperties = {}) {
    super();
    this.#properties = properties;
  }

  // The object's life

  meetingState(): MeetingState {
    return this.#state;
  }

  isDestroyed(): boolean {
    return this.#destroyed;
  }

  /** @throws CallError as daily-js rejects with its own errors; `error` is told as well */
  async join(properties: JoinProperties = {}): Promise<Record<string, Participant>> {
    this.#properties = { ...this.#properties, ...properties };
    const { url, token } = this.#properties;
    if (typeof url !== "string") throw new Error("url should be a string");
    const link = new URL(url, location.href);
    if (token) link.searchParams.set("t", token);
    this.#become("joining-meeting");
    try {
      await this.#openDevices();
      const { microphone, camera } = this.#media().tracks;
      this.#call = await join(link.href, { microphone, camera });
    } catch (error) {
      this.#fail(error);
      throw error;
    }
    this.#joinedAt = new Date();
    this.#follow(this.#call);
    this.#become("joined-meeting", { participants: this.participants() });
    this.#tell("participant-joined", { participant: this.participants()[REPLICA] });
    for (const track of this.#call.stream.getTracks()) this.#started(track, REPLICA);
    return this.participants();
  }

  async leave(): Promise<void> {
    await this.#call?.leave();
    this.#left();
  }

  async destroy(): Promise<void> {
    if (this.#destroyed) return;
    await this.leave();
    this.#own?.close();
    this.#destroyed = true;
    if (current === this) current = undefined;
    this.#tell("call-instance-destroyed");
  }

  async load(): Promise<void> {
    this.#become("loaded");
  }

  // Participants

  participants(): Record<string, Participant> {
    const tracks = this.#own?.tracks;
    const local = participant(LOCAL, LOCAL, this.#properties.userName ?? "", this.#joinedAt, {
      audio: tracks?.microphone ?? null,
      video: tracks?.camera ?? null,
      screenVideo: this.#call?.shown.screen ?? null,
    });
    const call = this.#call;
    if (!call) return { local };
    const name = call.conversation.persona.persona_name;
    const { audioTrack: audio, videoTrack: video } = call;
    return { local, [REPLICA]: participant(REPLICA, REPLICA_USER, name, this.#joinedAt, { audio, video }) };
  }

  participantCounts(): { present: number; hidden: number } {
    return { present: this.#call ? 2 : 1, hidden: 0 };
  }

  async room(): Promise<{ name: string; id: string } | null> {
    const id = this.#call?.conversation.conversation_id;
    return id ? { name: id, id } : null;
  }

  // Messages

  /** A message of the interactions protocol, as Tavus clients send it. The receiver is always the replica. */
  sendAppMessage(message: { event_type: InteractionType; properties?: never }, _to = "*"): this {
    this.#call?.send(message.event_type, message.properties);
    return this;
  }

  // Devices

  async startCamera(properties: JoinProperties = {}): Promise<{ camera: object; mic: object; speaker: object }> {
    this.#properties = { ...this.#properties, ...properties };
    await this.#openDevices();
    this.#tell("started-camera");
    return this.getInputDevices();
  }

  localAudio(): boolean {
    return !!this.#own?.tracks.microphone?.enabled;
  }

  localVideo(): boolean {
    return !!this.#own?.tracks.camera;
  }

  setLocalAudio(on: boolean): this {
    const own = this.#media();
    if (on !== this.localAudio()) void own.toggleMicrophone();
    return this;
  }

  setLocalVideo(on: boolean): this {
    const own = this.#media();
    if (on !== this.localVideo()) void own.toggleCamera();
    return this;
  }

  async enumerateDevices(): Promise<{ devices: MediaDeviceInfo[] }> {
    return { devices: (await navigator.mediaDevices?.enumerateDevices()) ?? [] };
  }

  async getInputDevices(): Promise<{ camera: object; mic: object; speaker: object }> {
    const all = (await this.enumerateDevices()).devices;
    const used = (track: MediaStreamTrack | null | undefined) =>
      all.find((device) => track && device.deviceId === track.getSettings().deviceId) ?? {};
    return { camera: used(this.#own?.tracks.camera), mic: used(this.#own?.tracks.microphone), speaker: {} };
  }

  async setInputDevicesAsync({ audioDeviceId, videoDeviceId }: Record<string, unknown>): Promise<unknown> {
    if (typeof audioDeviceId === "string") await this.#media().choose("microphone", audioDeviceId);
    if (typeof videoDeviceId === "string") await this.#media().choose("camera", videoDeviceId);
    this.#tell("selected-devices-updated", { devices: await this.getInputDevices() });
    return this.getInputDevices();
  }

  /** The page's own audio elements play the sound, so there is nothing to move here. */
  async setOutputDeviceAsync(): Promise<unknown> {
    return this.getInputDevices();
  }

  async getInputSettings(): Promise<Record<string, unknown>> {
    return this.#inputSettings;
  }

  async updateInputSettings(settings: Record<string, unknown>): Promise<{ inputSettings: Record<string, unknown> }> {
    this.#inputSettings = { ...this.#inputSettings, ...settings };
    this.#tell("input-settings-updated", { inputSettings: this.#inputSettings });
    return { inputSettings: this.#inputSettings };
  }

  startScreenShare(): void {
    this.#call?.shareScreen().then(
      () => this.#tell("local-screen-share-started"),
      (error) => this.#tell("nonfatal-error", { type: "screen-share-error", errorMsg: String(error.message ?? error) }),
    );
  }

  stopScreenShare(): void {
    void this.#call?.stopScreen();
    this.#tell("local-screen-share-stopped");
  }

  // Levels and network

  startLocalAudioLevelObserver(interval = REPORT_MS): Promise<void> {
    return this.#observe("local", interval);
  }

  stopLocalAudioLevelObserver(): void {
    this.#unobserve("local");
  }

  isLocalAudioLevelObserverRunning(): boolean {
    return this.#observers.has("local");
  }

  startRemoteParticipantsAudioLevelObserver(interval = REPORT_MS): Promise<void> {
    return this.#observe("remote", interval);
  }

  stopRemoteParticipantsAudioLevelObserver(): void {
    this.#unobserve("remote");
  }

  isRemoteParticipantsAudioLevelObserverRunning(): boolean {
    return this.#observers.has("remote");
  }

  getLocalAudioLevel(): number {
    return this.#levels[LOCAL] ?? 0;
  }

  getRemoteParticipantsAudioLevel(): Record<string, number> {
    return { [REPLICA]: this.#levels[REPLICA] ?? 0 };
  }

  async getNetworkStats(): Promise<object> {
    const network = this.#call?.network;
    const threshold = network?.level === "good" ? "good" : network?.level === "fair" ? "low" : "very-low";
    return {
      quality: { good: 100, low: 60, "very-low": 20 }[threshold],
      threshold,
      networkState: threshold === "very-low" ? "bad" : "good",
      networkStateReasons: [],
      stats: {
        latest: {
          timestamp: Date.now(),
          recvBitsPerSecond: 1000 * (network?.receivedKbps ?? 0),
          sendBitsPerSecond: 1000 * (network?.sentKbps ?? 0),
          totalRecvPacketLoss: network?.loss ?? 0,
          networkRoundTripTime: (network?.roundTripMs ?? 0) / 1000,
        },
      },
    };
  }

  getNetworkTopology(): Promise<{ topology: string }> {
    return Promise.resolve({ topology: this.#call ? "peer" : "none" });
  }

  // Every track is always subscribed to: these say so.

  subscribeToTracksAutomatically(): boolean {
    return true;
  }

  setSubscribeToTracksAutomatically(): this {
    return this;
  }

  updateParticipant(sessionId: string, { setAudio, setVideo }: { setAudio?: boolean; setVideo?: boolean }): this {
    if (sessionId !== LOCAL) return this;
    if (setAudio !== undefined) this.setLocalAudio(setAudio);
    if (setVideo !== undefined) this.setLocalVideo(setVideo);
    return this;
  }

  meetingSessionState(): { data: undefined; topology: string } {
    return { data: undefined, topology: this.#call ? "peer" : "none" };
  }

  meetingSessionSummary(): { id: string } {
    return { id: this.#call?.conversation.conversation_id ?? "" };
  }

  getReceiveSettings(): Promise<object> {
    return Promise.resolve({});
  }

  getSendSettings(): object {
    return {};
  }

  // Inside

  #media(): OwnMedia {
    if (this.#own) return this.#own;
    this.#own = new OwnMedia();
    this.#own.on("change", () => {
      if (this.#own?.asking) return;
      const { microphone, camera } = this.#own?.tracks ?? {};
      void this.#call?.setMicrophone(microphone ?? null);
      void this.#call?.setCamera(camera ?? null);
      this.#updated(LOCAL);
    });
    navigator.mediaDevices?.addEventListener?.("devicechange", async () =>
      this.#tell("available-devices-updated", { availableDevices: (await this.enumerateDevices()).devices }),
    );
    return this.#own;
  }

  async #openDevices(): Promise<void> {
    const own = this.#media();
    if (own.tracks.microphone || own.tracks.camera) return;
    await own.start();
    const { startAudioOff, startVideoOff } = this.#properties;
    if (startAudioOff && own.tracks.microphone) await own.toggleMicrophone();
    if (startVideoOff && own.tracks.camera) await own.toggleCamera();
    const [problem] = Object.values(own.problems);
    if (problem) {
      const type = { refused: "permissions", missing: "not-found", "in-use": "mic-in-use", insecure: "undefined-mediadevices" };
      this.#tell("camera-error", { error: { type: type[problem], msg: problem }, errorMsg: { errorMsg: problem } });
    }
  }

  #follow(call: Call): void {
    const { signal } = (this.#lines = new AbortController());
    call.on("message", (data) => this.#tell("app-message", { data, fromId: REPLICA }), { signal });
    call.on("stream", () => this.#updated(REPLICA), { signal });
    call.on("shown", () => this.#updated(LOCAL), { signal });
    call.on("network", async () => this.#tell("network-quality-change", await this.getNetworkStats()), { signal });
    call.on("conversation.replica.started_speaking", () => this.#speaks(REPLICA), { signal });
    call.on("conversation.user.started_speaking", () => this.#speaks(LOCAL), { signal });
    call.on("state", (state) => {
      if (state === "reconnecting") this.#tell("network-connection", { event: "interrupted", type: "peer-to-peer" });
      else if (state === "connected") this.#tell("network-connection", { event: "connected", type: "peer-to-peer" });
      else if (state === "ended") this.#left();
    }, { signal });
  }

  #speaks(peerId: string): void {
    if (this.#speaker === peerId) return;
    this.#speaker = peerId;
    this.#tell("active-speaker-change", { activeSpeaker: { peerId } });
  }

  #started(track: MediaStreamTrack, sessionId: string): void {
    this.#tell("track-started", { track, type: track.kind, participant: this.participants()[sessionId] });
  }

  #updated(sessionId: string): void {
    const found = this.participants()[sessionId];
    if (found) this.#tell("participant-updated", { participant: found });
  }

  #left(): void {
    if (!this.#call) return;
    const replica = this.participants()[REPLICA];
    this.#lines.abort();
    this.#call = null;
    for (const which of ["local", "remote"] as const) this.#unobserve(which);
    this.#own?.close();
    this.#own = null;
    this.#speaker = "";
    this.#tell("participant-left", { participant: replica });
    this.#become("left-meeting");
  }

  async #observe(which: "local" | "remote", interval: number): Promise<void> {
    const id = which === "local" ? LOCAL : REPLICA;
    let measured: MediaStreamTrack | null = null;
    let stop = () => {};
    const timer = setInterval(() => {
      const track = (which === "local" ? this.#own?.tracks.microphone : this.#call?.audioTrack) ?? null;
      if (track !== measured) {
        stop();
        measured = track;
        stop = track ? measureLevel(track, (level) => (this.#levels[id] = level)) : () => {};
      }
      const level = this.#levels[id] ?? 0;
      if (which === "local") this.#tell("local-audio-level", { audioLevel: level });
      else this.#tell("remote-participants-audio-level", { participantsAudioLevel: { [REPLICA]: level } });
      if (level > SPEAKING && this.#speaker === "") this.#speaks(id);
    }, interval);
    this.#unobserve(which);
    this.#observers.set(which, () => {
      clearInterval(timer);
      stop();
    });
  }

  #unobserve(which: "local" | "remote"): void {
    this.#observers.get(which)?.();
    this.#observers.delete(which);
  }

  #fail(error: unknown): void {
    const reason = error instanceof CallError ? error.reason : "refused";
    const type = { unknown: "no-room", ended: "exp-room", taken: "meeting-full", private: "not-allowed" }[reason as "unknown"];
    this.#state = "error";
    const errorMsg = error instanceof Error ? error.message : String(error);
    this.#tell("error", { errorMsg, error: { type: type ?? "connection-error", msg: errorMsg } });
  }

  #become(state: MeetingState, fields: object = {}): void {
    this.#state = state;
    this.#tell(state, fields);
  }

  #tell(action: string, fields: object = {}): void {
    this.emit(action, { action, callClientId: this.callClientId, ...fields });
  }
}

let current: CallObject | undefined;

/** There is one at a time, as in daily-js. */
export function createCallObject(properties?: JoinProperties): CallObject {
  if (current) throw new Error("Duplicate DailyIframe instances are not allowed");
  return (current = new CallObject(properties));
}

export function getCallInstance(): CallObject | undefined {
  return current;
}
