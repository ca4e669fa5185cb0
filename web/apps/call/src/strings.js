// @ts-check
/** Every text of the page. Keys with a dot are filled into elements that name them; see `dom.js`. */

/** @typedef {import("./devices.js").Kind} Kind */
/** @typedef {import("./devices.js").Problem} Problem */

/** @type {Record<string, string>} */
export const TEXTS = {
  "page.loading": "One moment…",
  "lobby.join": "Join",
  "lobby.joining": "Connecting…",
  "lobby.own": "Your camera, as you see yourself",
  "lobby.devices": "Microphone, camera and speaker",
  "lobby.microphone": "Microphone",
  "lobby.camera": "Camera",
  "lobby.speaker": "Speaker",
  "lobby.level": "How loud your microphone is",
  "lobby.private": "Your camera picture stays in this browser. Only your voice and what you type are sent.",
  "call.region": "Call",
  "call.replica": "The replica's picture",
  "call.own": "Your camera. Drag it, or use the arrow keys, to move it to another corner.",
  "call.controls": "Call controls",
  "call.tap": "Tap to hear",
  "call.stop": "Stop",
  "call.leave": "Leave",
  "call.ai": "AI",
  "panel.title": "Conversation",
  "panel.close": "Close the conversation panel",
  "panel.placeholder": "Type a message",
  "panel.send": "Send",
  "panel.empty": "What you both say appears here. You can also type.",
  "latency.title": "Last turn",
  "latency.close": "Close",
  "latency.note": "Times in milliseconds, as the server measures them.",
  "over.transcript": "Transcript",
  "over.download": "Download transcript",
  "over.again": "Call again",
  "over.empty": "Nothing was said.",
  "closed.retry": "Try again",
};

/** Labels of switches: what pressing does, by whether it is on now. */
export const SWITCHES = {
  microphone: { on: "Mute microphone (M)", off: "Unmute microphone (M)", none: "Turn on microphone (M)" },
  camera: { on: "Turn camera off (V)", off: "Turn camera on (V)", none: "Turn camera on (V)" },
  captions: { on: "Hide captions (C)", off: "Show captions (C)" },
  panel: { on: "Close the conversation panel (T)", off: "Type a message (T)" },
};

export const STATES = {
  connecting: "Connecting…",
  listening: "Listening",
  hearing: "Hearing you",
  thinking: "Thinking…",
  speaking: "Speaking",
  reconnecting: "Reconnecting…",
};

export const YOU = "You";

export const INTERRUPTED = "interrupted";

/** @param {string} name */
export const title = (name) => `Talk with ${name}`;

/** @param {string} name */
export const disclosure = (name) =>
  `You will talk with an AI. ${name} is not a person: the face and the voice are made by a computer, and what it says may be wrong.`;

/**
 * Pages on which there is no call.
 * @type {Record<import("./errors.js").Reason, {title: string, text: string}>}
 */
export const CLOSED = {
  unknown: {
    title: "This link leads nowhere",
    text: "There is no conversation at this link. Check that you have all of it, or ask whoever sent it for a new one.",
  },
  ended: { title: "This conversation has ended", text: "To talk again, ask whoever sent you the link for a new one." },
  taken: {
    title: "This call is taken",
    text: "Somebody is in this call already, perhaps you in another tab or on another device. Leave it there, then try again here.",
  },
  private: {
    title: "This call is private",
    text: "The link is not complete, or no longer valid. Open the whole link that you were sent, or ask for a new one.",
  },
  busy: {
    title: "All lines are busy",
    text: "Every place on this server is taken at the moment. Leave this page open and it tries again by itself.",
  },
  unreachable: {
    title: "The server does not answer",
    text: "It may be starting, or your network may be down. Wait a moment, then try again.",
  },
  blocked: {
    title: "Sound and pictures do not get through",
    text: "The server answers, but something between you and it, such as a firewall or a VPN, keeps the call out. Try another network.",
  },
  refused: { title: "The call could not begin", text: "The server refused it:" },
};

/** @param {number} seconds */
export const retryIn = (seconds) => `Trying again in ${seconds} s`;

/**
 * Titles of the goodbye page by why the call ended.
 * @param {string} reason
 * @param {string} name
 */
export function goodbye(reason, name) {
  switch (reason) {
    case "left":
      return { title: "You have left the call", text: `Thank you for talking with ${name}.` };
    case "lost":
      return { title: "The connection was lost", text: "The server has not answered for a while, so the call is over." };
    case "unknown":
      return { title: "The connection was lost", text: "The server has restarted and no longer knows this call." };
    case "max_call_duration reached":
      return { title: "Time is up", text: "This call has reached its longest duration." };
    case "end_conversation_endpoint_hit":
    case "daily_room_has_been_deleted":
      return { title: "The host has ended the call", text: `Thank you for talking with ${name}.` };
    case "server_shutdown":
    case "server restarted":
      return { title: "The server was stopped", text: "The call ended with it." };
    case "taken":
      return { title: "The call is open elsewhere", text: "Somebody has joined it in another tab or on another device." };
    case "exception_encountered_during_conversation_startup":
    case "internal error occurred at step conversation":
    case "internal error occurred at step worker":
      return { title: "Something went wrong", text: "The server had a problem that ended this call. Please start a new one." };
    default:
      return { title: "The call has ended", text: `Thank you for talking with ${name}.` };
  }
}

/** @param {number} seconds */
export function duration(seconds) {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/**
 * @param {number} seconds
 * @param {number} turns
 */
export const summary = (seconds, turns) =>
  `${duration(seconds)}${turns ? ` · ${turns} ${turns === 1 ? "answer" : "answers"}` : ""}`;

/** @param {number} last */
export const readOut = (last) => `${last} ms`;

/** @param {number} median */
export const readOutMedian = (median) => ` · median ${median} ms`;

/**
 * The latency read-out for people who cannot see it. It begins as what is shown, so that it can be called by voice.
 * @param {number} last
 * @param {number} median
 */
export const readOutLabel = (last, median) =>
  `${readOut(last)}${readOutMedian(median)}: time to the last answer. Show the stages.`;

/** What was done when a stage's bar ends. @type {Record<string, string>} */
export const STAGES = {
  last_voice: "Your last sound",
  vad_end: "Pause noticed",
  turn_decision: "Turn taken as over",
  final_text: "Words understood",
  first_token: "First word thought",
  first_clause: "First clause",
  first_sound: "First sound made",
  first_frame: "First picture made",
  sent: "Sent to you",
};

/** The microphone is missing, but the call goes on. */
export const TEXT_MODE = "You are in the call without a microphone. Type what you want to say.";

/** @type {Record<Kind, string>} */
export const DEVICE_LOST = {
  microphone: "Your microphone was disconnected. You can go on by typing, or press M to use another one.",
  camera: "Your camera was disconnected. Press V to use another one.",
};

export const NOT_SENT = "That was not sent: there is no connection at the moment.";
export const ASKING = "Your browser is asking whether this page may use your microphone and camera.";

/** @type {Record<Kind, string>} */
const DEVICE = { microphone: "microphone", camera: "camera" };

/** @type {Record<Kind, string>} */
const WITHOUT = {
  microphone: "Without it you can join all the same and type; you will still hear and see the replica.",
  camera: "The call works just as well without it.",
};

/**
 * What is wrong with a device and what to do about it in this browser.
 * @param {Kind} kind
 * @param {Problem} problem
 * @param {{userAgent: string, embedded: boolean}} browser
 */
export function deviceHelp(kind, problem, browser) {
  const device = DEVICE[kind];
  switch (problem) {
    case "refused":
      return { title: `This page may not use your ${device}`, text: `${allow(device, browser)} ${WITHOUT[kind]}` };
    case "missing":
      return { title: `No ${device} found`, text: `Plug one in, or switch it on, and try again. ${WITHOUT[kind]}` };
    case "in-use":
      return {
        title: `Your ${device} does not start`,
        text: `Another program may be using it. Close that program and try again. ${WITHOUT[kind]}`,
      };
    case "insecure":
      return {
        title: `No ${device} on this page`,
        text: `Browsers give it only to pages whose address begins with https:// or http://localhost. ${WITHOUT[kind]}`,
      };
  }
}

/**
 * @param {string} device
 * @param {{userAgent: string, embedded: boolean}} browser
 */
function allow(device, { userAgent, embedded }) {
  const framed = embedded ? "The page around this one must allow it as well. " : "";
  if (/Firefox/.test(userAgent)) {
    return `${framed}In Firefox, click the crossed-out ${device} beside the address, remove the block, and try again.`;
  }
  if (/iPhone|iPad/.test(userAgent)) {
    return `${framed}Touch the page settings sign in the address bar, open Website Settings, set ${device} to Allow, and try again.`;
  }
  if (/Android/.test(userAgent)) {
    return `${framed}Touch the sign left of the address, open Permissions, allow the ${device}, and try again.`;
  }
  if (/Safari/.test(userAgent) && !/Chrom/.test(userAgent)) {
    return `${framed}In Safari's menu choose Settings for This Website, set ${device} to Allow, and try again.`;
  }
  return `${framed}Click the sign left of the address, switch ${device} on, and try again.`;
}
