// Runs in the page before its own scripts: a microphone that plays what the test says, and a recorder that takes
// both sides down on one clock. Channel 0 is what the microphone gives, channel 1 what comes from the replica.
(() => {
  const RATE = 48000;
  const context = new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
  const microphone = context.createMediaStreamDestination();
  const recorderCode = `
    // Handing over every 128 samples would cost more than the call itself.
    const BLOCKS = 64;
    registerProcessor("recorder", class extends AudioWorkletProcessor {
      start() { this.at = currentFrame; this.block = 0; this.sides = [0, 1].map(() => new Float32Array(128 * BLOCKS)); }
      process(inputs) {
        if (!this.sides) this.start();
        this.sides.forEach((side, i) => { if (inputs[i].length) side.set(inputs[i][0], 128 * this.block); });
        if (++this.block === BLOCKS) { this.port.postMessage([this.at, ...this.sides]); this.start(); }
        return true;
      }
    });`;
  const recorded = [];
  let recorder = null;
  const ready = (async () => {
    if (!context.audioWorklet) return; // about:blank
    const url = URL.createObjectURL(new Blob([recorderCode], { type: "text/javascript" }));
    await context.audioWorklet.addModule(url);
    recorder = new AudioWorkletNode(context, "recorder", { numberOfInputs: 2, numberOfOutputs: 1 });
    recorder.port.onmessage = (event) => recorded.push(event.data);
    recorder.connect(context.destination);
    // A node without input is skipped; this keeps it and the clock running.
    const hum = context.createConstantSource();
    hum.offset.value = 0;
    hum.connect(recorder, 0, 0);
    hum.connect(microphone);
    hum.start();
  })();

  const decode = (base64) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    return new Float32Array(bytes.buffer);
  };
  const encode = (samples) => {
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
    let text = "";
    for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
    return btoa(text);
  };

  const connections = [];
  const events = [];
  const frames = [];
  const watch = { x: 0.4, y: 0.4, width: 0.2, height: 0.2, previous: null, canvas: null };

  const watchFrames = (video) => {
    const canvas = new OffscreenCanvas(64, 64);
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    const onFrame = (now, metadata) => {
      if (video.videoWidth && watch.active) {
        pen.drawImage(video, watch.x * video.videoWidth, watch.y * video.videoHeight,
          watch.width * video.videoWidth, watch.height * video.videoHeight, 0, 0, 64, 64);
        const pixels = pen.getImageData(0, 0, 64, 64).data;
        const gray = new Float32Array(64 * 64);
        for (let i = 0; i < gray.length; i++) gray[i] = (pixels[4 * i] + pixels[4 * i + 1] + pixels[4 * i + 2]) / 3;
        let change = 0;
        if (watch.previous) for (let i = 0; i < gray.length; i++) change += Math.abs(gray[i] - watch.previous[i]);
        watch.previous = gray;
        let sum = 0;
        for (const value of gray) sum += value;
        frames.push([toContextTime(metadata.expectedDisplayTime), change / gray.length, sum / gray.length]);
      } else {
        frames.push([toContextTime(metadata.expectedDisplayTime), 0, 0]);
      }
      video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
  };
  const toContextTime = (now) => {
    const stamp = context.getOutputTimestamp();
    return stamp.contextTime + (now - stamp.performanceTime) / 1000;
  };

  const RealConnection = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends RealConnection {
    constructor(...args) {
      super(...args);
      connections.push(this);
      this.addEventListener("track", async ({ track }) => {
        await ready;
        if (track.kind === "audio") {
          context.createMediaStreamSource(new MediaStream([track])).connect(recorder, 0, 1);
        }
      });
    }
    createDataChannel(...args) {
      const channel = super.createDataChannel(...args);
      channel.addEventListener("message", (event) => {
        const message = JSON.parse(event.data);
        events.push({ ...message, _at: context.currentTime });
      });
      this._channel = channel;
      return channel;
    }
  };

  window.visitor = {
    ready,
    useOwnMicrophone() {
      const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (constraints) => {
        const stream = new MediaStream();
        if (constraints.audio) stream.addTrack(microphone.stream.getAudioTracks()[0].clone());
        if (constraints.video) for (const track of (await real({ video: true })).getVideoTracks()) stream.addTrack(track);
        return stream;
      };
    },
    // The browser asks the person, who takes their time.
    askForDevicesFor(milliseconds) {
      const devices = navigator.mediaDevices;
      const answer = devices.getUserMedia.bind(devices);
      devices.getUserMedia = async (constraints) => {
        await new Promise((resolve) => setTimeout(resolve, milliseconds));
        return answer(constraints);
      };
    },
    // Says the samples (base64 of float32 at 48 kHz) now; returns when they begin, in seconds of the clock.
    say(base64) {
      const samples = decode(base64);
      const buffer = context.createBuffer(1, samples.length, RATE);
      buffer.copyToChannel(samples, 0);
      const source = context.createBufferSource();
      source.buffer = buffer;
      source.connect(microphone);
      source.connect(recorder, 0, 0);
      const at = context.currentTime + 0.05;
      source.start(at);
      return at;
    },
    watch(x, y, width, height) { Object.assign(watch, { x, y, width, height, active: true }); },
    watchFrames() {
      for (const video of document.querySelectorAll("video")) {
        if (video.srcObject && !video.muted && !video.dataset.watched) { video.dataset.watched = "1"; watchFrames(video); }
      }
    },
    now: () => context.currentTime,
    events: (type) => events.filter((event) => !type || event.event_type === type),
    count: (type) => events.reduce((sum, event) => sum + (event.event_type === type), 0),
    frames: () => frames,
    // Both channels since the last call of `recording`, as base64 of float32, and the frame that they start at.
    recording() {
      const blocks = recorded.splice(0);
      const size = blocks.length ? blocks[0][1].length : 0;
      const sides = [0, 1].map(() => new Float32Array(blocks.length * size));
      blocks.forEach(([, mine, theirs], i) => { sides[0].set(mine, i * size); sides[1].set(theirs, i * size); });
      return { start: blocks.length ? blocks[0][0] : 0, person: encode(sides[0]), replica: encode(sides[1]) };
    },
    send(message) { for (const c of connections) if (c._channel?.readyState === "open") c._channel.send(message); },
    // What the browser says of the microphone that is sent.
    microphone() {
      const track = connections.at(-1).getSenders().find((sender) => sender.track?.kind === "audio")?.track;
      return track ? track.getSettings() : null;
    },
    // The network is gone, without a goodbye.
    breakOff() { for (const c of connections.splice(0)) c.close(); },
    async statistics() {
      const result = [];
      for (const c of connections) for (const report of (await c.getStats()).values()) result.push(report);
      return result;
    },
  };
})();
