class h {
  #e = /* @__PURE__ */ new Map();
  /**
   * Call `listener` at each event `name`, until the function that is returned is called or `signal` is aborted.
   * A listener that throws does not keep the others from being called.
   */
  on(e, t, { signal: s } = {}) {
    const i = () => this.off(e, t);
    if (s?.aborted) return i;
    let r = this.#e.get(e);
    return r || this.#e.set(e, r = /* @__PURE__ */ new Set()), r.add(t), s?.addEventListener("abort", i, { once: !0 }), i;
  }
  /** As `on`, for the next event only. */
  once(e, t) {
    const s = this.on(e, (i) => {
      s(), t(i);
    });
    return s;
  }
  off(e, t) {
    this.#e.get(e)?.delete(t);
  }
  emit(e, t) {
    for (const s of [...this.#e.get(e) ?? []])
      try {
        s(t);
      } catch (i) {
        reportError(i);
      }
  }
}
const I = 12e3;
class ke extends h {
  doing = "connecting";
  #e;
  /** Follow a call until `signal` is aborted. */
  watch(e, t) {
    const s = () => {
      e.state === "connected" ? this.become("listening") : e.state === "reconnecting" && this.become("reconnecting");
    };
    e.on("message", (i) => this.follow(i), { signal: t }), e.on("state", s, { signal: t }), s();
  }
  follow({ event_type: e }) {
    switch (e) {
      case "conversation.user.started_speaking":
        return this.become("hearing");
      case "conversation.user.stopped_speaking":
        return this.become("thinking");
      case "conversation.replica.started_speaking":
        return this.become("speaking");
      case "conversation.replica.stopped_speaking":
        this.doing === "speaking" && this.become("listening");
        return;
      case "conversation.error":
        return this.become("listening");
    }
  }
  become(e) {
    clearTimeout(this.#e), e === "thinking" && (this.#e = setTimeout(() => this.become("listening"), I)), e !== this.doing && (this.doing = e, this.emit("change", e));
  }
}
class c extends Error {
  /**
   * @param retryAfterS when the server suggests to try again
   * @param endReason why the conversation has ended, in the server's words
   */
  constructor(e, t = N[e], s, i) {
    super(t), this.reason = e, this.retryAfterS = s, this.endReason = i;
  }
  name = "CallError";
}
const N = {
  unknown: "There is no conversation at this link; create one with POST /v2/conversations.",
  ended: "This conversation has ended; create a new one.",
  taken: "Somebody is in this call already, perhaps in another tab. Leave it there first.",
  busy: "Every line of the server is taken; try again later.",
  private: "This conversation asks for a meeting token; join with the whole link, `?t=` included.",
  unreachable: "The server does not answer. If it runs on another origin, it must name this page's in VISAVIS_ALLOWED_ORIGINS.",
  blocked: "The server answers, but WebRTC does not get through: a firewall, a VPN, or no TURN server.",
  refused: "The server refused the call."
};
class p extends Error {
  constructor(e, t) {
    super(`${e}: ${P[t]}`), this.device = e, this.problem = t;
  }
  name = "DeviceError";
}
const P = {
  refused: "the browser or the person refused it; allow it in the page's settings beside the address, then try again.",
  missing: "there is none; plug one in and try again.",
  "in-use": "it does not start; close other programs that use it and try again.",
  insecure: 'browsers give it only to pages at https:// or http://localhost, and to frames with allow="microphone; camera".'
}, U = 1e3, G = 15e3, B = 400, F = 1e3, j = 4, H = { maxBitrate: 35e4, maxFramerate: 12 }, W = { maxBitrate: 6e5, maxFramerate: 5 };
class V extends h {
  /** The tracks of the replica, in one stream so that a single element plays them. */
  stream;
  #e;
  #t;
  #n;
  #i = {};
  #s = 0;
  #r = !1;
  #a = !1;
  #h;
  /** @param pictures whether the replica is seen, and may see */
  constructor(e, t, s) {
    super(), this.#e = new RTCPeerConnection({ iceServers: e, bundlePolicy: "max-bundle" }), this.#t = this.#e.createDataChannel("events", { ordered: !0 }), this.#n = this.#e.addTransceiver(t ?? "audio", { direction: "sendrecv" }), s && (this.#i.camera = this.#e.addTransceiver("video", { direction: "sendrecv", sendEncodings: [H] }), this.#i.screen = this.#e.addTransceiver("video", { direction: "sendonly", sendEncodings: [W] }));
    const i = [this.#n, this.#i.camera].flatMap((r) => r ? [r.receiver] : []);
    this.stream = new MediaStream(i.map((r) => r.track)), i.forEach(K), this.#t.addEventListener("message", (r) => this.#l(r.data)), this.#t.addEventListener("close", () => this.#p()), this.#e.addEventListener("connectionstatechange", () => {
      this.#e.connectionState === "failed" && this.#p();
    });
  }
  /** Returns when messages can flow. */
  async open(e) {
    try {
      await this.#e.setLocalDescription(), await this.#u();
      const t = await e(this.#e.localDescription?.sdp ?? "");
      if (this.#a) throw new c("blocked");
      await this.#e.setRemoteDescription({ type: "answer", sdp: t }), await this.#d();
    } catch (t) {
      throw this.close(), t;
    }
    this.#h = setInterval(() => this.#o(), F);
  }
  /** @returns whether it could be sent */
  send(e) {
    return this.#t.readyState !== "open" ? !1 : (this.#t.send(JSON.stringify(e)), !0);
  }
  /** Speak with another track, or with none. */
  async sendSound(e) {
    this.#a || await this.#n.sender.replaceTrack(e);
  }
  /** The id under which the server knows what is shown so; null where it does not take it. */
  mid(e) {
    const t = this.#i[e];
    return t?.currentDirection?.startsWith("send") ? t.mid : null;
  }
  /** Show something, or no longer. */
  async show(e, t) {
    !this.#a && this.mid(e) !== null && await this.#i[e]?.sender.replaceTrack(t);
  }
  statistics() {
    return this.#e.getStats();
  }
  /** Let what was sent arrive, then close. */
  async closeGently() {
    this.#t.readyState === "open" && (this.#a = !0, this.#t.close(), await v(B, (e) => this.#t.addEventListener("close", e, { once: !0 }))), this.close();
  }
  close() {
    this.#a = !0, clearInterval(this.#h), this.#e.close();
  }
  #u() {
    return v(U, (e) => {
      const t = () => this.#e.iceGatheringState === "complete" && e();
      this.#e.addEventListener("icegatheringstatechange", t), t();
    });
  }
  async #d() {
    if (await v(G, (e) => {
      this.#t.addEventListener("open", e, { once: !0 }), this.once("lost", e);
    }), this.#t.readyState !== "open") throw new c("blocked");
  }
  #l(e) {
    let t;
    try {
      t = JSON.parse(String(e));
    } catch {
      console.warn("not JSON on the data channel:", e);
      return;
    }
    typeof t?.event_type == "string" && (t.event_type === "system.heartbeat" && (this.#r = !0, this.#c(0)), this.emit("message", t));
  }
  // Counted in ticks, not by the clock: a browser that froze the page for a minute has not lost the server.
  #o() {
    this.#c(this.#s + 1), this.#r && this.#s > j && this.#p();
  }
  #c(e) {
    const t = e !== this.#s;
    this.#s = e, t && this.#r && this.emit("missed", e);
  }
  #p() {
    this.#a || (this.close(), this.emit("lost", void 0));
  }
}
function K(n) {
  const e = n;
  "jitterBufferTarget" in e ? e.jitterBufferTarget = 0 : "playoutDelayHint" in e && (e.playoutDelayHint = 0);
}
function v(n, e) {
  return new Promise((t) => {
    const s = setTimeout(t, n);
    e(() => {
      clearTimeout(s), t();
    });
  });
}
const $ = { echoCancellation: !0, noiseSuppression: !0, autoGainControl: !0 }, X = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 24 } }, z = { width: { max: 1920 }, height: { max: 1080 }, frameRate: { max: 5 } }, R = {
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "in-use",
  AbortError: "in-use"
};
async function m(n, e = {}) {
  if (!navigator.mediaDevices?.getUserMedia) return g(n, "insecure");
  try {
    const t = await navigator.mediaDevices.getUserMedia({
      audio: n.includes("microphone") && { ...$, ...b(e.microphone) },
      video: n.includes("camera") && { ...X, ...b(e.camera, { facingMode: "user" }) }
    }), [s, i] = [t.getAudioTracks()[0], t.getVideoTracks()[0]];
    return { tracks: { ...s && { microphone: s }, ...i && { camera: i } }, problems: {} };
  } catch (t) {
    const s = t instanceof Error ? t.name : "";
    if (s === "OverconstrainedError" && Object.keys(e).length) return m(n);
    const i = R[s] ?? "in-use";
    if (n.length === 1) return g(n, i);
    const r = await Promise.all(n.map((a) => J(a, i, e)));
    return {
      tracks: Object.assign({}, ...r.map((a) => a.tracks)),
      problems: Object.assign({}, ...r.map((a) => a.problems))
    };
  }
}
async function Ae(n, e) {
  const { tracks: t, problems: s } = await m([n], e ? { [n]: e } : {}), i = t[n];
  if (!i) throw new p(n, s[n] ?? "missing");
  return i;
}
async function Y() {
  if (!q()) throw new p("screen", "insecure");
  try {
    const e = (await navigator.mediaDevices.getDisplayMedia({ video: z, audio: !1 })).getVideoTracks()[0];
    if (!e) throw new p("screen", "missing");
    return e.contentHint = "detail", e;
  } catch (n) {
    throw new p("screen", R[n instanceof Error ? n.name : ""] ?? "in-use");
  }
}
function q() {
  return typeof navigator.mediaDevices?.getDisplayMedia == "function";
}
async function J(n, e, t) {
  return e === "refused" && (await D(n))?.state !== "granted" ? g([n], e) : m([n], t);
}
function g(n, e) {
  return { tracks: {}, problems: Object.fromEntries(n.map((t) => [t, e])) };
}
function b(n, e = {}) {
  return n ? { deviceId: { exact: n } } : e;
}
async function D(n) {
  try {
    return await navigator.permissions.query({ name: n });
  } catch {
    return null;
  }
}
async function Me() {
  const e = (await navigator.mediaDevices?.enumerateDevices?.() ?? []).filter((t) => t.deviceId && t.label);
  return {
    microphone: e.filter((t) => t.kind === "audioinput"),
    camera: e.filter((t) => t.kind === "videoinput"),
    speaker: "setSinkId" in HTMLMediaElement.prototype ? e.filter((t) => t.kind === "audiooutput") : []
  };
}
const Q = { roundTripMs: 200, loss: 0.02, jitterMs: 40 }, Z = { roundTripMs: 400, loss: 0.06, jitterMs: 100 };
class E {
  #e = null;
  measure(e) {
    const t = { at: 0, received: 0, missing: 0, bytesIn: 0, bytesOut: 0 };
    let [s, i, r] = [0, null, null];
    for (const o of e.values())
      t.at = Math.max(t.at, o.timestamp), o.type === "inbound-rtp" ? (t.received += o.packetsReceived ?? 0, t.missing += o.packetsLost ?? 0, t.bytesIn += o.bytesReceived ?? 0, o.kind === "audio" ? s = 1e3 * (o.jitter ?? 0) : i = o.framesPerSecond ?? null) : o.type === "outbound-rtp" ? t.bytesOut += o.bytesSent ?? 0 : o.type === "candidate-pair" && o.nominated && o.currentRoundTripTime !== void 0 && (r = 1e3 * o.currentRoundTripTime);
    const a = this.#e ?? t;
    this.#e = t;
    const [u, l] = [t.received - a.received, Math.max(0, t.missing - a.missing)], d = u + l > 0 ? l / (u + l) : 0, y = Math.max(1e-3, (t.at - a.at) / 1e3), f = { roundTripMs: r, loss: d, jitterMs: s };
    return {
      level: T(f, Z) ? "poor" : T(f, Q) ? "fair" : "good",
      ...f,
      framesPerSecond: i,
      receivedKbps: (t.bytesIn - a.bytesIn) * 8 / 1e3 / y,
      sentKbps: (t.bytesOut - a.bytesOut) * 8 / 1e3 / y
    };
  }
}
function T(n, e) {
  const { roundTripMs: t, loss: s, jitterMs: i } = n;
  return (t ?? 0) > e.roundTripMs || s > e.loss || i > e.jitterMs;
}
const ee = 8e3, x = {
  403: "private",
  404: "unknown",
  409: "taken",
  410: "ended",
  502: "unreachable",
  503: "busy",
  504: "unreachable"
}, te = { ...x, 400: "unknown" };
async function se(n) {
  return C(O(n), { cache: "no-store" }, te);
}
async function ne(n, e) {
  return (await C(`${O(n)}/offer`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ sdp: e, type: "offer", token: new URL(n).searchParams.get("t") ?? void 0 })
  })).sdp;
}
function O(n) {
  let e;
  try {
    e = new URL(n, globalThis.location?.href);
  } catch {
    throw new c("unknown", `url: '${n}' is not a conversation's link; expected https://server/c/ID`);
  }
  const t = e.pathname.split("/").filter(Boolean).at(-1) ?? "";
  return e.pathname = e.pathname.replace(/\/+$/, ""), e.search = e.hash = "", new URL(`../v2/conversations/${t}`, e).href;
}
async function C(n, e, t = x) {
  let s;
  try {
    s = await fetch(n, { ...e, signal: AbortSignal.timeout(ee) });
  } catch {
    throw new c("unreachable");
  }
  const i = await s.json().catch(() => null);
  if (s.ok && i) return i;
  const r = Number(s.headers.get("Retry-After")) || void 0, a = i?.error ?? i?.message;
  throw new c(t[s.status] ?? "refused", a, r, i?.shutdown_reason);
}
const ie = 25e3, re = 300, ae = 2e3, oe = 2e3, ce = 2, he = /* @__PURE__ */ new Set(["taken", "busy", "unreachable", "blocked"]);
async function Re(n, { microphone: e = null, camera: t = null } = {}) {
  const s = await se(n);
  if (s.status === "ended") throw new c("ended");
  const i = new le(n, s, e, t);
  return await i.connect(), i;
}
class le extends h {
  /** Use `join`. */
  constructor(e, t, s, i) {
    super(), this.url = e, this.conversation = t, this.pictures = !(t.audio_only || t.chat), this.#i = s, this.#s = { camera: i, screen: null };
  }
  state = "connecting";
  endReason = null;
  /** The replica's tracks, for one `<video>`. */
  stream = new MediaStream();
  /** What was measured last. */
  network = null;
  /** Whether the replica is seen. */
  pictures;
  #e = null;
  #t = new E();
  #n;
  #i;
  #s;
  /** The replica's voice. */
  get audioTrack() {
    return this.stream.getAudioTracks()[0] ?? null;
  }
  /** The replica's picture; null in a call without. */
  get videoTrack() {
    return this.stream.getVideoTracks()[0] ?? null;
  }
  /** Whether the server takes what would be shown so. */
  takes(e) {
    return this.conversation.sees !== !1 && (this.#e?.mid(e) ?? null) !== null;
  }
  /** What the replica is shown: its own copies are not made, so these are the tracks that were given. */
  get shown() {
    return {
      camera: this.takes("camera") ? this.#s.camera : null,
      screen: this.takes("screen") ? this.#s.screen : null
    };
  }
  /** Used by `join`, and to connect again. */
  async connect() {
    const e = new V(this.conversation.ice_servers ?? [], this.#i, this.pictures);
    if (this.#e = e, e.on("message", (t) => this.#u(t)), e.on("missed", (t) => t === ce && this.#l({ ...ue, level: "lost" })), await e.open((t) => ne(this.url, t)), this.state === "ended") return e.close();
    e.on("lost", () => void this.#a()), this.stream = e.stream, this.emit("stream", this.stream), await this.#r(), this.#t = new E(), this.#n ??= setInterval(() => void this.#d(), oe), this.#c("connected");
  }
  /**
   * Send a message of the interactions protocol.
   *
   * @returns whether it could be sent
   */
  send(e, t) {
    const s = { message_type: e.split(".")[0], event_type: e };
    return this.#e?.send({ ...s, conversation_id: this.conversation.conversation_id, properties: t }) ?? !1;
  }
  /** Say something in writing, which the replica answers. */
  respond(e) {
    return this.send("conversation.respond", { text: e });
  }
  /** Let the replica say exactly this, after what it is saying. */
  echo(e) {
    return this.send("conversation.echo", { modality: "text", text: e });
  }
  /**
   * Let the replica say exactly this sound.
   *
   * @param pcm 16-bit mono samples, at most 24000 at a time
   * @param inferenceId the same for all chunks of one utterance
   * @param done whether this chunk is the last
   */
  echoSound(e, t, s, i) {
    const r = pe(new Uint8Array(e.buffer, e.byteOffset, e.byteLength));
    return this.send("conversation.echo", {
      modality: "audio",
      audio: r,
      sample_rate: t,
      inference_id: s,
      done: i
    });
  }
  /** Stop the replica. */
  interrupt() {
    return this.send("conversation.interrupt");
  }
  /** Add to what the language model knows. */
  appendContext(e) {
    return this.send("conversation.append_llm_context", { context: e });
  }
  /** Replace the language model's prompt. */
  overwriteContext(e) {
    return this.send("conversation.overwrite_llm_context", { context: e });
  }
  /** How long a pause ends the person's turn, and how easily they interrupt. */
  setSensitivity({ pause: e, interrupt: t }) {
    let s = !0;
    return e && (s = this.send("conversation.sensitivity", { participant_pause_sensitivity: e })), t && (s = this.send("conversation.sensitivity", { participant_interrupt_sensitivity: t }) && s), s;
  }
  setEmotion(e) {
    return this.send("conversation.set_emotion", { emotion: e });
  }
  /** Answer a `conversation.tool_call`. */
  answerToolCall(e) {
    return this.send("conversation.tool_result", e);
  }
  /** Speak with another microphone, or with none. */
  async setMicrophone(e) {
    this.#i = e, await this.#e?.sendSound(e);
  }
  /** Show the replica another camera, or none. */
  async setCamera(e) {
    e !== this.#s.camera && (this.#s.camera = e, await this.#r());
  }
  /**
   * Show the replica a screen or a window, which the browser lets the person choose.
   *
   * @throws DeviceError when the person chooses none, or the browser cannot
   */
  async shareScreen() {
    const e = await Y();
    return this.#s.screen?.stop(), this.#s.screen = e, e.addEventListener("ended", () => e === this.#s.screen && void this.stopScreen()), await this.#r(), e;
  }
  async stopScreen() {
    this.#s.screen?.stop(), this.#s.screen = null, await this.#r();
  }
  /** The browser's own WebRTC statistics; null while there is no connection. */
  async statistics() {
    return await this.#e?.statistics() ?? null;
  }
  /** Say goodbye and hang up. Tracks that were given stay open; they are yours. */
  async leave() {
    if (this.state === "ended") return;
    this.send("conversation.leave");
    const e = this.#e;
    this.#o("left"), await e?.closeGently();
  }
  /** Hang up at once, for a page that is being closed. */
  abandon() {
    this.send("conversation.leave"), this.#o("left"), this.#e?.close();
  }
  async #r() {
    const e = this.#e;
    if (!e || (e.mid("camera") ?? e.mid("screen")) === null) return;
    const { camera: t, screen: s } = this.shown;
    await Promise.all([e.show("camera", t), e.show("screen", s)]), this.send("conversation.media", {
      camera_mid: t && e.mid("camera"),
      screen_mid: s && e.mid("screen")
    }), this.emit("shown", this.shown);
  }
  async #a() {
    if (this.state !== "connected") return;
    this.#c("reconnecting");
    const e = performance.now() + ie;
    let t = re;
    for (; this.#h(); ) {
      try {
        return await this.connect();
      } catch (s) {
        const { reason: i, endReason: r } = s instanceof c ? s : new c("refused", String(s));
        if (!he.has(i)) return this.#o(r ?? i);
        if (performance.now() + t > e) return this.#o("lost");
      }
      await de(t), t = Math.min(2 * t, ae);
    }
  }
  #h() {
    return this.state !== "ended";
  }
  #u(e) {
    e.event_type === "system.heartbeat" && this.send("system.pong");
    const t = { ...e, properties: e.properties ?? {} };
    this.emit("message", t), this.emit(t.event_type, t), t.event_type === "conversation.ended" && (this.#o(String(t.properties.reason ?? "ended")), this.#e?.close());
  }
  async #d() {
    if (this.state !== "connected") return;
    const e = await this.#e?.statistics().catch(() => null);
    e && this.#l(this.#t.measure(e));
  }
  #l(e) {
    this.network = e, this.emit("network", e);
  }
  #o(e) {
    this.state !== "ended" && (this.endReason = e, clearInterval(this.#n), this.#s.screen?.stop(), this.#c("ended"));
  }
  #c(e) {
    this.state = e, this.emit("state", e);
  }
}
const ue = { roundTripMs: null, loss: 1, jitterMs: 0, framesPerSecond: null, receivedKbps: 0, sentKbps: 0 };
function de(n) {
  return new Promise((e) => {
    const t = () => {
      clearTimeout(s), removeEventListener("online", t), e();
    }, s = setTimeout(t, n);
    addEventListener("online", t);
  });
}
function pe(n) {
  let e = "";
  for (let t = 0; t < n.length; t += 32768) e += String.fromCharCode(...n.subarray(t, t + 32768));
  return btoa(e);
}
const me = `
attribute vec2 corner;
varying vec2 place;
void main() {
  place = vec2(corner.x, 1.0 - corner.y);
  gl_Position = vec4(2.0 * corner - 1.0, 0.0, 1.0);
}`, fe = `
precision mediump float;
uniform sampler2D picture;
varying vec2 place;
const vec3 KEY = vec3(0.0, 1.0, 0.608);
vec2 chroma(vec3 c) {
  float y = dot(c, vec3(0.2126, 0.7152, 0.0722));
  return vec2((c.b - y) / 1.8556, (c.r - y) / 1.5748);
}
void main() {
  vec3 c = texture2D(picture, place).rgb;
  float distance = length(chroma(c) - chroma(KEY));
  float alpha = smoothstep(0.14, 0.30, distance);
  float spill = max(0.0, c.g - max(c.r, c.b)) * (1.0 - smoothstep(0.30, 0.55, distance));
  c.g -= spill;
  gl_FragColor = vec4(c * alpha, alpha);
}`;
class De {
  /**
   * Draw `video` into `canvas`, frame by frame, until `close`.
   *
   * @throws Error where the browser has no WebGL
   */
  constructor(e, t) {
    this.video = e, this.canvas = t;
    const s = t.getContext("webgl", { premultipliedAlpha: !0, alpha: !0, antialias: !1 });
    if (!s) throw new Error("canvas: this browser has no WebGL, which removing the green screen needs");
    this.#e = s, this.#n(), this.#i();
  }
  #e;
  #t = !1;
  close() {
    this.#t = !0, this.#e.getExtension("WEBGL_lose_context")?.loseContext();
  }
  #n() {
    const e = this.#e, t = e.createProgram();
    for (const [i, r] of [[e.VERTEX_SHADER, me], [e.FRAGMENT_SHADER, fe]]) {
      const a = e.createShader(i);
      if (!a) return;
      e.shaderSource(a, r), e.compileShader(a), e.attachShader(t, a);
    }
    e.linkProgram(t), e.useProgram(t), e.bindBuffer(e.ARRAY_BUFFER, e.createBuffer()), e.bufferData(e.ARRAY_BUFFER, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), e.STATIC_DRAW);
    const s = e.getAttribLocation(t, "corner");
    e.enableVertexAttribArray(s), e.vertexAttribPointer(s, 2, e.FLOAT, !1, 0, 0), e.bindTexture(e.TEXTURE_2D, e.createTexture());
    for (const i of [e.TEXTURE_WRAP_S, e.TEXTURE_WRAP_T]) e.texParameteri(e.TEXTURE_2D, i, e.CLAMP_TO_EDGE);
    e.texParameteri(e.TEXTURE_2D, e.TEXTURE_MIN_FILTER, e.LINEAR);
  }
  #i() {
    if (this.#t) return;
    const e = () => {
      this.#s(), this.#i();
    };
    "requestVideoFrameCallback" in this.video ? this.video.requestVideoFrameCallback(e) : requestAnimationFrame(e);
  }
  #s() {
    const { video: e, canvas: t } = this;
    if (this.#t || !e.videoWidth) return;
    (t.width !== e.videoWidth || t.height !== e.videoHeight) && (t.width = e.videoWidth, t.height = e.videoHeight);
    const s = this.#e;
    s.viewport(0, 0, t.width, t.height), s.texImage2D(s.TEXTURE_2D, 0, s.RGBA, s.RGBA, s.UNSIGNED_BYTE, e), s.drawArrays(s.TRIANGLE_STRIP, 0, 4);
  }
}
const S = -60, ve = -12, we = 50;
function xe(n, e) {
  const t = new AudioContext(), s = new AnalyserNode(t, { fftSize: 1024 });
  t.createMediaStreamSource(new MediaStream([n])).connect(s);
  const i = new Float32Array(s.fftSize), r = setInterval(() => {
    s.getFloatTimeDomainData(i);
    const a = i.reduce((l, d) => l + d * d, 0) / i.length, u = (10 * Math.log10(a + 1e-12) - S) / (ve - S);
    e(Math.min(1, Math.max(0, u)));
  }, we);
  return () => {
    clearInterval(r), t.close();
  };
}
const w = ["microphone", "camera"];
class Oe extends h {
  tracks = { microphone: null, camera: null };
  problems = {};
  muted = !1;
  cameraOff = !1;
  /** The browser is asking the person. */
  asking = !1;
  #e = {};
  #t = !1;
  /** Ask for both devices, and again by itself when the person allows one later. */
  async start() {
    await this.#n(w);
    for (const e of w) {
      const t = await D(e);
      t?.addEventListener("change", () => {
        t.state === "granted" && this.problems[e] === "refused" && this.#n([e]);
      });
    }
  }
  async choose(e, t) {
    this.#e[e] = t, await this.#n([e]);
  }
  /** Ask for a device once more. */
  async retry(e) {
    await this.#n([e]);
  }
  /** Mute and unmute; without a microphone, try to get one. */
  async toggleMicrophone() {
    if (!this.tracks.microphone)
      return this.muted = !1, this.#n(["microphone"]);
    this.muted = !this.muted, this.tracks.microphone.enabled = !this.muted, this.#r();
  }
  /** Off means that the camera's light goes out. */
  async toggleCamera() {
    if (!this.tracks.camera)
      return this.cameraOff = !1, this.#n(["camera"]);
    this.cameraOff = !0, this.#s("camera"), this.#r();
  }
  /** Give the devices back. */
  close() {
    this.#t = !0, w.forEach((e) => this.#s(e));
  }
  async #n(e) {
    if (this.#t) return;
    this.asking = !0, this.#r(), e.forEach((s) => this.#s(s));
    const t = await m(e, this.#e);
    this.asking = !1;
    for (const s of e) this.#i(s, t.tracks[s] ?? null, t.problems[s]);
    this.#r();
  }
  #i(e, t, s) {
    if (this.#t) {
      t?.stop();
      return;
    }
    this.tracks[e] = t, s ? this.problems[e] = s : delete this.problems[e], t && (e === "microphone" && (t.enabled = !this.muted), t.addEventListener("ended", () => {
      this.tracks[e] === t && (this.tracks[e] = null, this.problems[e] = "missing", this.#r(), this.emit("lost", e));
    }));
  }
  #s(e) {
    this.tracks[e]?.stop(), this.tracks[e] = null;
  }
  #r() {
    this.emit("change", void 0);
  }
}
const _ = [0.6, 0.3, 0.1], k = 10, A = 400, ge = 4e3;
class ye {
  /** @param element what plays the replica */
  constructor(e) {
    this.element = e;
  }
  #e = [];
  follow(e) {
    switch (e.event_type) {
      case "conversation.overlap": {
        const { outcome: t, held: s } = e.properties;
        t === "interruption" ? this.#t(A) : t !== "began" ? this.end() : s && this.#t(ge);
        return;
      }
      case "conversation.replica.stopped_speaking":
        e.properties.interrupted && this.#t(A);
        return;
      case "conversation.replica.started_speaking":
        return this.end();
    }
  }
  /** Let it be heard. */
  end() {
    this.#i(), this.element.volume = 1, this.#s(!0);
  }
  #t(e) {
    this.#i(), _.forEach((t, s) => this.#n(s * k, () => this.element.volume = t)), this.#n(_.length * k, () => this.#s(!1)), this.#n(e, () => this.end());
  }
  #n(e, t) {
    e ? this.#e.push(setTimeout(t, e)) : t();
  }
  #i() {
    this.#e.forEach(clearTimeout), this.#e = [];
  }
  #s(e) {
    const t = this.element.srcObject;
    for (const s of t?.getAudioTracks() ?? []) s.enabled = e;
  }
}
class Ce extends h {
  constructor(e, t) {
    super(), this.call = e, this.element = t;
    const { signal: s } = this.#e;
    this.#t = new ye(t), e.on("message", (i) => this.#t.follow(i), { signal: s }), e.on("stream", () => void this.play(), { signal: s }), this.play();
  }
  /** The browser plays without sound until `unblock` is called by a touch of the person's. */
  blocked = !1;
  #e = new AbortController();
  #t;
  /** Called by itself; call it again from a click after `blocked`. */
  async play() {
    const { element: e } = this;
    this.#n(!1), e.srcObject !== this.call.stream && (e.srcObject = this.call.stream), e.muted = !1;
    try {
      await e.play();
    } catch (t) {
      if (!(t instanceof DOMException) || t.name !== "NotAllowedError") return;
      e.muted = !0, this.#n(!0), e.play().catch(() => {
      });
    }
  }
  close() {
    this.#e.abort(), this.#t.end(), this.element.srcObject = null;
  }
  #n(e) {
    e !== this.blocked && (this.blocked = e, this.emit("blocked", e));
  }
}
class Le extends h {
  lines = [];
  /** Words of turns that are not over. */
  live = { user: "", replica: "" };
  /** The person's current words are another person's. */
  other = !1;
  #e;
  /** A message in writing, until the server has repeated it. */
  #t = "";
  /** What the person wrote shows at once; the server's own copy of it is then left out. */
  addTyped(e) {
    this.#t = e.trim(), this.#s("user", this.#t, /* @__PURE__ */ new Date(), !1, !1);
  }
  follow(e) {
    if (e.event_type === "conversation.participant_joined" && e.properties.own && (this.#e = e.properties.participant_id), e.event_type === "conversation.utterance.streaming") {
      const { role: t, speech: s } = M(e.properties);
      if (t === "user" && this.#t && s === this.#t) return;
      t === "user" && (this.other = this.#n(e.properties.participant_id)), this.#i(t, s);
    } else if (e.event_type === "conversation.utterance") {
      const { role: t, speech: s } = M(e.properties), i = t === "user" && this.#n(e.properties.participant_id);
      t === "user" && (this.other = i), this.#i(t, ""), t === "user" && this.#t && s === this.#t ? this.#t = "" : s && this.#s(t, s, be(e.timestamp), !!e.properties.interrupted, i);
    }
  }
  /** The call is over: what was being said stays as it is. */
  finish() {
    for (const e of ["user", "replica"]) {
      const t = this.live[e];
      this.#i(e, ""), t && this.#s(e, t, /* @__PURE__ */ new Date(), !0, e === "user" && this.other);
    }
  }
  #n(e) {
    return !!e && !!this.#e && e !== this.#e;
  }
  #i(e, t) {
    this.live[e] !== t && (this.live[e] = t, this.emit("live", e));
  }
  #s(e, t, s, i, r) {
    const a = { role: e, speech: t, at: s, interrupted: i, other: r };
    this.lines.push(a), this.emit("line", a);
  }
}
function M({ role: n, speech: e }) {
  return { role: n === "user" ? "user" : "replica", speech: String(e ?? "").trim() };
}
function be(n) {
  return n ? new Date(n * 1e3) : /* @__PURE__ */ new Date();
}
const L = {
  tapToHear: "Tap to hear",
  mute: "Mute microphone",
  leave: "Leave",
  microphone: "Microphone",
  camera: "Camera",
  talkWith: (n) => `Talk with ${n}`,
  disclosure: "An AI, not a person",
  noCall: {
    unknown: "There is no conversation at this link.",
    ended: "This conversation has ended.",
    taken: "This call is taken.",
    busy: "All lines are busy. Please try again later.",
    private: "This call is private.",
    unreachable: "The server does not answer.",
    blocked: "Sound and pictures do not get through your network.",
    refused: "The call could not begin."
  }
}, Ee = {
  tapToHear: "Tippen, um zu hören",
  mute: "Mikrofon stummschalten",
  leave: "Auflegen",
  microphone: "Mikrofon",
  camera: "Kamera",
  talkWith: (n) => `Sprechen Sie mit ${n}`,
  disclosure: "Eine KI, kein Mensch",
  noCall: {
    unknown: "Unter diesem Link gibt es kein Gespräch.",
    ended: "Dieses Gespräch ist beendet.",
    taken: "Dieser Anruf ist besetzt.",
    busy: "Alle Leitungen sind belegt. Bitte später noch einmal versuchen.",
    private: "Dieser Anruf ist privat.",
    unreachable: "Der Server antwortet nicht.",
    blocked: "Ton und Bild kommen nicht durch Ihr Netz.",
    refused: "Der Anruf konnte nicht beginnen."
  }
}, Te = {
  tapToHear: "Toca para oír",
  mute: "Silenciar el micrófono",
  leave: "Salir",
  microphone: "Micrófono",
  camera: "Cámara",
  talkWith: (n) => `Habla con ${n}`,
  disclosure: "Una IA, no una persona",
  noCall: {
    unknown: "No hay ninguna conversación en este enlace.",
    ended: "Esta conversación ha terminado.",
    taken: "Esta llamada está ocupada.",
    busy: "Todas las líneas están ocupadas. Inténtalo más tarde.",
    private: "Esta llamada es privada.",
    unreachable: "El servidor no responde.",
    blocked: "El sonido y la imagen no pasan por tu red.",
    refused: "La llamada no pudo empezar."
  }
}, Se = {
  tapToHear: "点按即可收听",
  mute: "关闭麦克风",
  leave: "离开",
  microphone: "麦克风",
  camera: "摄像头",
  talkWith: (n) => `与 ${n} 交谈`,
  disclosure: "AI，并非真人",
  noCall: {
    unknown: "此链接没有对应的通话。",
    ended: "此通话已结束。",
    taken: "此通话已有人加入。",
    busy: "线路全忙，请稍后再试。",
    private: "此通话需要授权。",
    unreachable: "服务器没有响应。",
    blocked: "您的网络阻断了声音和画面。",
    refused: "通话未能开始。"
  }
}, _e = { en: L, de: Ee, es: Te, zh: Se };
function Ie(n = navigator.languages) {
  for (const e of n) {
    const t = _e[e.split("-")[0]?.toLowerCase() ?? ""];
    if (t) return t;
  }
  return L;
}
export {
  ke as Activity,
  le as Call,
  c as CallError,
  p as DeviceError,
  h as Emitter,
  De as KeyedPicture,
  Oe as OwnMedia,
  Ce as Player,
  Le as Transcript,
  q as canShareScreen,
  Re as join,
  Me as listDevices,
  se as lookUp,
  xe as measureLevel,
  Ae as openDevice,
  m as openDevices,
  D as permission,
  Ie as words
};
