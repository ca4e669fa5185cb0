/** The texts in English. Keys with a dot are filled into elements that name them; see `dom.ts`. */

import type { Kind, Problem, Reason } from "@visavis/client";

export interface Browser {
  userAgent: string;
  embedded: boolean;
}

interface Titled {
  title: string;
  text: string;
}

type Positions = { on: string; off: string; none?: string };

const texts = {
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
  "lobby.seen": "Your voice and what you type are sent to this call's server, and your camera picture while it is on.",
  "call.region": "Call",
  "call.replica": "The replica's picture",
  "call.own": "Your camera. Drag it, or use the arrow keys, to move it to another corner.",
  "call.controls": "Call controls",
  "call.tap": "Tap to hear",
  "call.stop": "Stop",
  "call.leave": "Leave",
  "call.ai": "AI",
  "call.seen": "Sees you",
  "call.screen-seen": "Your screen is shared",
  "call.weak": "Weak connection",
  "more.title": "More",
  "more.pip": "Picture in picture",
  "more.full": "Full screen (F)",
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
  "kiosk.invite": "Touch the screen, step closer or say hello",
};

/** Labels of switches: what pressing does, by whether it is on now. */
const switches: Record<"microphone" | "camera" | "captions" | "panel" | "screen" | "more", Positions> = {
  microphone: { on: "Mute microphone (M)", off: "Unmute microphone (M)", none: "Turn on microphone (M)" },
  camera: { on: "Turn camera off (V)", off: "Turn camera on (V)", none: "Turn camera on (V)" },
  captions: { on: "Hide captions (C)", off: "Show captions (C)" },
  panel: { on: "Close the conversation panel (T)", off: "Type a message (T)" },
  screen: { on: "Stop sharing your screen (S)", off: "Share your screen (S)" },
  more: { on: "Close the menu", off: "More" },
};

const states = {
  connecting: "Connecting…",
  listening: "Listening",
  hearing: "Hearing you",
  thinking: "Thinking…",
  speaking: "Speaking",
  reconnecting: "Reconnecting…",
};

/** Pages on which there is no call. */
const closed: Record<Reason, Titled> = {
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

/** Titles of the goodbye page by why the call ended. */
function goodbye(reason: string, name: string): Titled {
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

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

const device: Record<Kind, string> = { microphone: "microphone", camera: "camera" };

const without: Record<Kind, string> = {
  microphone: "Without it you can join all the same and type; you will still hear and see the replica.",
  camera: "The call works just as well without it.",
};

/** What is wrong with a device and what to do about it in this browser. */
function deviceHelp(kind: Kind, problem: Problem, browser: Browser): Titled {
  switch (problem) {
    case "refused":
      return { title: `This page may not use your ${device[kind]}`, text: `${allow(device[kind], browser)} ${without[kind]}` };
    case "missing":
      return { title: `No ${device[kind]} found`, text: `Plug one in, or switch it on, and try again. ${without[kind]}` };
    case "in-use":
      return {
        title: `Your ${device[kind]} does not start`,
        text: `Another program may be using it. Close that program and try again. ${without[kind]}`,
      };
    case "insecure":
      return {
        title: `No ${device[kind]} on this page`,
        text: `Browsers give it only to pages whose address begins with https:// or http://localhost. ${without[kind]}`,
      };
  }
}

function allow(name: string, { userAgent, embedded }: Browser): string {
  const framed = embedded ? "The page around this one must allow it as well. " : "";
  if (/Firefox/.test(userAgent)) {
    return `${framed}In Firefox, click the crossed-out ${name} beside the address, remove the block, and try again.`;
  }
  if (/iPhone|iPad/.test(userAgent)) {
    return `${framed}Touch the page settings sign in the address bar, open Website Settings, set ${name} to Allow, and try again.`;
  }
  if (/Android/.test(userAgent)) {
    return `${framed}Touch the sign left of the address, open Permissions, allow the ${name}, and try again.`;
  }
  if (/Safari/.test(userAgent) && !/Chrom/.test(userAgent)) {
    return `${framed}In Safari's menu choose Settings for This Website, set ${name} to Allow, and try again.`;
  }
  return `${framed}Click the sign left of the address, switch ${name} on, and try again.`;
}

/** What was done when a stage's bar ends. */
const stages: Record<string, string> = {
  asked: "Asked by a program",
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

export const english = {
  texts,
  switches,
  states,
  closed,
  stages,
  goodbye,
  deviceHelp,
  guest: "Guest",
  you: "You",
  interrupted: "interrupted",
  title: (name: string) => `Talk with ${name}`,
  disclosure: (name: string) =>
    `You will talk with an AI. ${name} is not a person: the face and the voice are made by a computer, and what it says may be wrong.`,
  people: (count: number) => `${count} people in the call`,
  retryIn: (seconds: number) => `Trying again in ${seconds} s`,
  summary: (seconds: number, turns: number) =>
    `${duration(seconds)}${turns ? ` · ${turns} ${turns === 1 ? "answer" : "answers"}` : ""}`,
  readOut: (last: number) => `${last} ms`,
  readOutMedian: (median: number) => ` · median ${median} ms`,
  /** The read-out for people who cannot see it: begins as what is shown, so that it can be called by voice. */
  readOutLabel: (last: number, median: number) =>
    `${last} ms · median ${median} ms: time to the last answer. Show the stages.`,
  /** The microphone is missing, but the call goes on. */
  textMode: "You are in the call without a microphone. Type what you want to say.",
  deviceLost: {
    microphone: "Your microphone was disconnected. You can go on by typing, or press M to use another one.",
    camera: "Your camera was disconnected. Press V to use another one.",
  } as Record<Kind, string>,
  notSent: "That was not sent: there is no connection at the moment.",
  noScreen: "Your screen could not be shared. Allow it in the browser, or in the system's privacy settings, and try again.",
  noEyes: "This replica does not look at screens or cameras.",
  asking: "Your browser is asking whether this page may use your microphone and camera.",
};
