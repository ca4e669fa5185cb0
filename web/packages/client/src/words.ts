/** The few words of the widget and of the React components, in the language of who reads them. */

import type { Reason } from "./errors";

export interface Words {
  tapToHear: string;
  mute: string;
  leave: string;
  microphone: string;
  camera: string;
  talkWith: (name: string) => string;
  disclosure: string;
  /** Why there is no call, for people; `CallError.message` is for who builds the page. */
  noCall: Record<Reason, string>;
}

const english: Words = {
  tapToHear: "Tap to hear",
  mute: "Mute microphone",
  leave: "Leave",
  microphone: "Microphone",
  camera: "Camera",
  talkWith: (name) => `Talk with ${name}`,
  disclosure: "An AI, not a person",
  noCall: {
    unknown: "There is no conversation at this link.",
    ended: "This conversation has ended.",
    taken: "This call is taken.",
    busy: "All lines are busy. Please try again later.",
    private: "This call is private.",
    unreachable: "The server does not answer.",
    blocked: "Sound and pictures do not get through your network.",
    refused: "The call could not begin.",
  },
};

const german: Words = {
  tapToHear: "Tippen, um zu hören",
  mute: "Mikrofon stummschalten",
  leave: "Auflegen",
  microphone: "Mikrofon",
  camera: "Kamera",
  talkWith: (name) => `Sprechen Sie mit ${name}`,
  disclosure: "Eine KI, kein Mensch",
  noCall: {
    unknown: "Unter diesem Link gibt es kein Gespräch.",
    ended: "Dieses Gespräch ist beendet.",
    taken: "Dieser Anruf ist besetzt.",
    busy: "Alle Leitungen sind belegt. Bitte später noch einmal versuchen.",
    private: "Dieser Anruf ist privat.",
    unreachable: "Der Server antwortet nicht.",
    blocked: "Ton und Bild kommen nicht durch Ihr Netz.",
    refused: "Der Anruf konnte nicht beginnen.",
  },
};

const spanish: Words = {
  tapToHear: "Toca para oír",
  mute: "Silenciar el micrófono",
  leave: "Salir",
  microphone: "Micrófono",
  camera: "Cámara",
  talkWith: (name) => `Habla con ${name}`,
  disclosure: "Una IA, no una persona",
  noCall: {
    unknown: "No hay ninguna conversación en este enlace.",
    ended: "Esta conversación ha terminado.",
    taken: "Esta llamada está ocupada.",
    busy: "Todas las líneas están ocupadas. Inténtalo más tarde.",
    private: "Esta llamada es privada.",
    unreachable: "El servidor no responde.",
    blocked: "El sonido y la imagen no pasan por tu red.",
    refused: "La llamada no pudo empezar.",
  },
};

const chinese: Words = {
  tapToHear: "点按即可收听",
  mute: "关闭麦克风",
  leave: "离开",
  microphone: "麦克风",
  camera: "摄像头",
  talkWith: (name) => `与 ${name} 交谈`,
  disclosure: "AI，并非真人",
  noCall: {
    unknown: "此链接没有对应的通话。",
    ended: "此通话已结束。",
    taken: "此通话已有人加入。",
    busy: "线路全忙，请稍后再试。",
    private: "此通话需要授权。",
    unreachable: "服务器没有响应。",
    blocked: "您的网络阻断了声音和画面。",
    refused: "通话未能开始。",
  },
};

const BY_LANGUAGE: Record<string, Words> = { en: english, de: german, es: spanish, zh: chinese };

/** The words in the first of `languages` (by default the browser's) that there are words for, else English. */
export function words(languages: readonly string[] = navigator.languages): Words {
  for (const language of languages) {
    const found = BY_LANGUAGE[language.split("-")[0]?.toLowerCase() ?? ""];
    if (found) return found;
  }
  return english;
}
