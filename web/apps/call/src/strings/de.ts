/** The texts in German. */

import type { Kind } from "@visavis/client";

import type { Strings } from "../strings";

const device: Record<Kind, [string, string]> = { microphone: ["Mikrofon", "Kein Mikrofon"], camera: ["Kamera", "Keine Kamera"] };
const your: Record<Kind, string> = { microphone: "Ihr Mikrofon", camera: "Ihre Kamera" };
const without: Record<Kind, string> = {
  microphone: "Sie können trotzdem teilnehmen und schreiben; Bild und Ton der Replik kommen bei Ihnen an.",
  camera: "Der Anruf geht auch ohne.",
};

function allow(name: string, userAgent: string, embedded: boolean): string {
  const framed = embedded ? "Auch die Seite ringsum muss es erlauben. " : "";
  if (/Firefox/.test(userAgent)) return `${framed}Klicken Sie in Firefox neben der Adresse auf das durchgestrichene Zeichen, heben Sie die Sperre auf und versuchen Sie es erneut.`;
  if (/iPhone|iPad/.test(userAgent)) return `${framed}Tippen Sie in der Adressleiste auf das Seitenmenü, öffnen Sie die Website-Einstellungen, erlauben Sie ${name} und versuchen Sie es erneut.`;
  if (/Android/.test(userAgent)) return `${framed}Tippen Sie links von der Adresse auf das Zeichen, öffnen Sie Berechtigungen, erlauben Sie ${name} und versuchen Sie es erneut.`;
  if (/Safari/.test(userAgent) && !/Chrom/.test(userAgent)) return `${framed}Wählen Sie im Menü von Safari „Einstellungen für diese Website“, erlauben Sie ${name} und versuchen Sie es erneut.`;
  return `${framed}Klicken Sie auf das Zeichen links von der Adresse, schalten Sie ${name} ein und versuchen Sie es erneut.`;
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

export const german: Strings = {
  texts: {
    "page.loading": "Einen Augenblick …",
    "lobby.join": "Teilnehmen",
    "lobby.joining": "Verbindung wird hergestellt …",
    "lobby.own": "Ihre Kamera, wie Sie sich selbst sehen",
    "lobby.devices": "Mikrofon, Kamera und Lautsprecher",
    "lobby.microphone": "Mikrofon",
    "lobby.camera": "Kamera",
    "lobby.speaker": "Lautsprecher",
    "lobby.level": "Lautstärke Ihres Mikrofons",
    "lobby.private": "Ihr Kamerabild bleibt in diesem Browser. Gesendet wird nur, was Sie sagen und schreiben.",
    "lobby.seen": "An den Server dieses Anrufs geht, was Sie sagen und schreiben, und Ihr Kamerabild, solange die Kamera an ist.",
    "call.region": "Anruf",
    "call.replica": "Das Bild der Replik",
    "call.own": "Ihre Kamera. Ziehen Sie sie, oder benutzen Sie die Pfeiltasten, um sie in eine andere Ecke zu setzen.",
    "call.controls": "Bedienung des Anrufs",
    "call.tap": "Tippen, um zu hören",
    "call.stop": "Anhalten",
    "call.leave": "Auflegen",
    "call.ai": "KI",
    "call.seen": "Sieht Sie",
    "call.screen-seen": "Ihr Bildschirm wird geteilt",
    "call.weak": "Schwache Verbindung",
    "more.title": "Mehr",
    "more.pip": "Bild im Bild",
    "more.full": "Vollbild (F)",
    "panel.title": "Gespräch",
    "panel.close": "Gesprächsleiste schließen",
    "panel.placeholder": "Nachricht schreiben",
    "panel.send": "Senden",
    "panel.empty": "Hier erscheint, was Sie beide sagen. Sie können auch schreiben.",
    "latency.title": "Letzte Antwort",
    "latency.close": "Schließen",
    "latency.note": "Zeiten in Millisekunden, wie der Server sie misst.",
    "over.transcript": "Mitschrift",
    "over.download": "Mitschrift herunterladen",
    "over.again": "Noch einmal anrufen",
    "over.empty": "Es wurde nichts gesagt.",
    "closed.retry": "Erneut versuchen",
    "kiosk.invite": "Berühren Sie den Bildschirm, treten Sie näher oder sagen Sie Hallo",
  },
  switches: {
    microphone: { on: "Mikrofon stumm schalten (M)", off: "Mikrofon einschalten (M)", none: "Mikrofon einschalten (M)" },
    camera: { on: "Kamera ausschalten (V)", off: "Kamera einschalten (V)", none: "Kamera einschalten (V)" },
    captions: { on: "Untertitel ausblenden (C)", off: "Untertitel einblenden (C)" },
    panel: { on: "Gesprächsleiste schließen (T)", off: "Nachricht schreiben (T)" },
    screen: { on: "Bildschirm nicht mehr teilen (S)", off: "Bildschirm teilen (S)" },
    more: { on: "Menü schließen", off: "Mehr" },
  },
  states: {
    connecting: "Verbindung wird hergestellt …",
    listening: "Hört zu",
    hearing: "Hört Sie",
    thinking: "Denkt nach …",
    speaking: "Spricht",
    reconnecting: "Verbindung wird wiederhergestellt …",
  },
  closed: {
    unknown: { title: "Dieser Link führt nirgendwohin", text: "Unter diesem Link gibt es kein Gespräch. Prüfen Sie, ob er vollständig ist, oder bitten Sie um einen neuen." },
    ended: { title: "Dieses Gespräch ist beendet", text: "Bitten Sie um einen neuen Link, um noch einmal zu sprechen." },
    taken: { title: "Dieser Anruf ist besetzt", text: "Jemand ist schon in diesem Anruf, vielleicht Sie selbst in einem anderen Tab oder auf einem anderen Gerät. Legen Sie dort auf und versuchen Sie es hier erneut." },
    private: { title: "Dieser Anruf ist privat", text: "Der Link ist unvollständig oder nicht mehr gültig. Öffnen Sie den ganzen Link, den Sie bekommen haben, oder bitten Sie um einen neuen." },
    busy: { title: "Alle Leitungen sind besetzt", text: "Auf diesem Server ist gerade kein Platz frei. Lassen Sie die Seite offen; sie versucht es von selbst wieder." },
    unreachable: { title: "Der Server antwortet nicht", text: "Vielleicht startet er gerade, oder Ihr Netz ist gestört. Warten Sie einen Augenblick und versuchen Sie es erneut." },
    blocked: { title: "Ton und Bild kommen nicht durch", text: "Der Server antwortet, aber etwas dazwischen, etwa eine Firewall oder ein VPN, hält den Anruf auf. Versuchen Sie es in einem anderen Netz." },
    refused: { title: "Der Anruf konnte nicht beginnen", text: "Der Server hat ihn abgelehnt:" },
  },
  stages: {
    asked: "Anfrage des Programms",
    last_voice: "Ihr letzter Laut",
    vad_end: "Pause bemerkt",
    turn_decision: "Äußerung für beendet gehalten",
    final_text: "Worte verstanden",
    first_token: "Erstes Wort gedacht",
    first_clause: "Erster Satzteil",
    first_sound: "Erster Ton erzeugt",
    first_frame: "Erstes Bild erzeugt",
    sent: "An Sie gesendet",
  },
  goodbye(reason, name) {
    const thanks = `Danke für das Gespräch mit ${name}.`;
    switch (reason) {
      case "left":
        return { title: "Sie haben aufgelegt", text: thanks };
      case "lost":
        return { title: "Die Verbindung ist abgebrochen", text: "Der Server hat eine Weile nicht geantwortet, deshalb ist der Anruf beendet." };
      case "unknown":
        return { title: "Die Verbindung ist abgebrochen", text: "Der Server wurde neu gestartet und kennt diesen Anruf nicht mehr." };
      case "max_call_duration reached":
        return { title: "Die Zeit ist um", text: "Dieser Anruf hat seine längste Dauer erreicht." };
      case "end_conversation_endpoint_hit":
      case "daily_room_has_been_deleted":
        return { title: "Der Gastgeber hat den Anruf beendet", text: thanks };
      case "server_shutdown":
      case "server restarted":
        return { title: "Der Server wurde angehalten", text: "Der Anruf endete damit." };
      case "taken":
        return { title: "Der Anruf ist anderswo geöffnet", text: "Jemand nimmt in einem anderen Tab oder auf einem anderen Gerät teil." };
      case "exception_encountered_during_conversation_startup":
      case "internal error occurred at step conversation":
      case "internal error occurred at step worker":
        return { title: "Etwas ist schiefgegangen", text: "Ein Fehler im Server hat diesen Anruf beendet. Bitte beginnen Sie einen neuen." };
      default:
        return { title: "Der Anruf ist beendet", text: thanks };
    }
  },
  deviceHelp(kind, problem, { userAgent, embedded }) {
    const [name, none] = device[kind];
    switch (problem) {
      case "refused":
        return { title: `Diese Seite darf ${your[kind]} nicht benutzen`, text: `${allow(name, userAgent, embedded)} ${without[kind]}` };
      case "missing":
        return { title: `${none} gefunden`, text: `Schließen Sie das Gerät an oder schalten Sie es ein und versuchen Sie es erneut. ${without[kind]}` };
      case "in-use":
        return { title: `${your[kind]} startet nicht`, text: `Vielleicht benutzt es ein anderes Programm. Schließen Sie es und versuchen Sie es erneut. ${without[kind]}` };
      case "insecure":
        return { title: `${none} auf dieser Seite`, text: `Browser erlauben das nur Seiten, deren Adresse mit https:// oder http://localhost beginnt. ${without[kind]}` };
    }
  },
  guest: "Gast",
  you: "Sie",
  interrupted: "unterbrochen",
  title: (name) => `Sprechen Sie mit ${name}`,
  disclosure: (name) => `Sie sprechen gleich mit einer KI. ${name} ist kein Mensch: Gesicht und Stimme macht ein Computer, und was gesagt wird, kann falsch sein.`,
  people: (count) => `${count} Personen im Anruf`,
  retryIn: (seconds) => `Neuer Versuch in ${seconds} s`,
  summary: (seconds, turns) => `${duration(seconds)}${turns ? ` · ${turns} ${turns === 1 ? "Antwort" : "Antworten"}` : ""}`,
  readOut: (last) => `${last} ms`,
  readOutMedian: (median) => ` · Median ${median} ms`,
  readOutLabel: (last, median) => `${last} ms · Median ${median} ms: Zeit bis zur letzten Antwort. Abschnitte zeigen.`,
  textMode: "Sie sind ohne Mikrofon im Anruf. Schreiben Sie, was Sie sagen möchten.",
  deviceLost: {
    microphone: "Ihr Mikrofon wurde getrennt. Schreiben Sie weiter, oder drücken Sie M für ein anderes.",
    camera: "Ihre Kamera wurde getrennt. Drücken Sie V für eine andere.",
  },
  notSent: "Das wurde nicht gesendet: Es besteht gerade keine Verbindung.",
  noScreen: "Ihr Bildschirm konnte nicht geteilt werden. Erlauben Sie es im Browser oder im System und versuchen Sie es erneut.",
  noEyes: "Diese Replik sieht weder Bildschirme noch Kameras.",
  asking: "Ihr Browser fragt, ob diese Seite Mikrofon und Kamera benutzen darf.",
};
