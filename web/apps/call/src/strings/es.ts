/** The texts in Spanish. */

import type { Kind } from "@visavis/client";

import type { Strings } from "../strings";

const device: Record<Kind, string> = { microphone: "micrófono", camera: "cámara" };
const your: Record<Kind, string> = { microphone: "tu micrófono", camera: "tu cámara" };
const none: Record<Kind, string> = { microphone: "ningún micrófono", camera: "ninguna cámara" };
const without: Record<Kind, string> = {
  microphone: "Puedes entrar igualmente y escribir; verás y oirás a la réplica.",
  camera: "La llamada funciona igual de bien sin ella.",
};

function allow(name: string, userAgent: string, embedded: boolean): string {
  const framed = embedded ? "La página que contiene esta también debe permitirlo. " : "";
  if (/Firefox/.test(userAgent)) return `${framed}En Firefox, pulsa el icono tachado junto a la dirección, quita el bloqueo e inténtalo de nuevo.`;
  if (/iPhone|iPad/.test(userAgent)) return `${framed}Toca los ajustes de página en la barra de direcciones, abre Configuración del sitio web, permite ${name} e inténtalo de nuevo.`;
  if (/Android/.test(userAgent)) return `${framed}Toca el icono a la izquierda de la dirección, abre Permisos, permite ${name} e inténtalo de nuevo.`;
  if (/Safari/.test(userAgent) && !/Chrom/.test(userAgent)) return `${framed}En el menú de Safari elige Ajustes para este sitio web, permite ${name} e inténtalo de nuevo.`;
  return `${framed}Pulsa el icono a la izquierda de la dirección, activa ${name} e inténtalo de nuevo.`;
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

export const spanish: Strings = {
  texts: {
    "page.loading": "Un momento…",
    "lobby.join": "Entrar",
    "lobby.joining": "Conectando…",
    "lobby.own": "Tu cámara, como te ves tú",
    "lobby.devices": "Micrófono, cámara y altavoz",
    "lobby.microphone": "Micrófono",
    "lobby.camera": "Cámara",
    "lobby.speaker": "Altavoz",
    "lobby.level": "Volumen de tu micrófono",
    "lobby.private": "La imagen de tu cámara se queda en este navegador. Solo se envía lo que dices y escribes.",
    "lobby.seen": "Al servidor de esta llamada se envía lo que dices y escribes y, mientras esté encendida, la imagen de tu cámara.",
    "call.region": "Llamada",
    "call.replica": "La imagen de la réplica",
    "call.own": "Tu cámara. Arrástrala o usa las flechas para moverla a otra esquina.",
    "call.controls": "Controles de la llamada",
    "call.tap": "Toca para oír",
    "call.stop": "Parar",
    "call.leave": "Salir",
    "call.ai": "IA",
    "call.seen": "Te ve",
    "call.screen-seen": "Compartes tu pantalla",
    "call.weak": "Conexión débil",
    "more.title": "Más",
    "more.pip": "Imagen en imagen",
    "more.full": "Pantalla completa (F)",
    "panel.title": "Conversación",
    "panel.close": "Cerrar el panel de la conversación",
    "panel.placeholder": "Escribe un mensaje",
    "panel.send": "Enviar",
    "panel.empty": "Aquí aparece lo que decís. También puedes escribir.",
    "latency.title": "Último turno",
    "latency.close": "Cerrar",
    "latency.note": "Tiempos en milisegundos, medidos por el servidor.",
    "over.transcript": "Transcripción",
    "over.download": "Descargar transcripción",
    "over.again": "Llamar otra vez",
    "over.empty": "No se dijo nada.",
    "closed.retry": "Reintentar",
    "kiosk.invite": "Toca la pantalla, acércate o di hola",
  },
  switches: {
    microphone: { on: "Silenciar micrófono (M)", off: "Activar micrófono (M)", none: "Activar micrófono (M)" },
    camera: { on: "Apagar cámara (V)", off: "Encender cámara (V)", none: "Encender cámara (V)" },
    captions: { on: "Ocultar subtítulos (C)", off: "Mostrar subtítulos (C)" },
    panel: { on: "Cerrar el panel de la conversación (T)", off: "Escribir un mensaje (T)" },
    screen: { on: "Dejar de compartir la pantalla (S)", off: "Compartir la pantalla (S)" },
    more: { on: "Cerrar el menú", off: "Más" },
  },
  states: {
    connecting: "Conectando…",
    listening: "Escuchando",
    hearing: "Te oye",
    thinking: "Pensando…",
    speaking: "Hablando",
    reconnecting: "Reconectando…",
  },
  closed: {
    unknown: { title: "Este enlace no lleva a ningún sitio", text: "No hay ninguna conversación en este enlace. Comprueba que esté completo o pide uno nuevo a quien te lo envió." },
    ended: { title: "Esta conversación ha terminado", text: "Para hablar otra vez, pide un enlace nuevo a quien te lo envió." },
    taken: { title: "Esta llamada está ocupada", text: "Ya hay alguien en esta llamada, quizá tú en otra pestaña o en otro dispositivo. Sal de allí y reinténtalo aquí." },
    private: { title: "Esta llamada es privada", text: "El enlace no está completo o ya no es válido. Abre el enlace entero que recibiste o pide uno nuevo." },
    busy: { title: "Todas las líneas están ocupadas", text: "No queda sitio en este servidor por el momento. Deja esta página abierta y lo intentará sola." },
    unreachable: { title: "El servidor no responde", text: "Puede que esté arrancando o que tu red falle. Espera un momento y reinténtalo." },
    blocked: { title: "El sonido y la imagen no pasan", text: "El servidor responde, pero algo entre medias, como un cortafuegos o una VPN, impide la llamada. Prueba con otra red." },
    refused: { title: "La llamada no pudo empezar", text: "El servidor la rechazó:" },
  },
  stages: {
    asked: "Petición del programa",
    last_voice: "Tu último sonido",
    vad_end: "Pausa detectada",
    turn_decision: "Turno dado por terminado",
    final_text: "Palabras entendidas",
    first_token: "Primera palabra pensada",
    first_clause: "Primera frase",
    first_sound: "Primer sonido creado",
    first_frame: "Primera imagen creada",
    sent: "Enviado",
  },
  goodbye(reason, name) {
    const thanks = `Gracias por hablar con ${name}.`;
    switch (reason) {
      case "left":
        return { title: "Has salido de la llamada", text: thanks };
      case "lost":
        return { title: "Se perdió la conexión", text: "El servidor lleva un rato sin responder, así que la llamada ha terminado." };
      case "unknown":
        return { title: "Se perdió la conexión", text: "El servidor se reinició y ya no conoce esta llamada." };
      case "max_call_duration reached":
        return { title: "Se acabó el tiempo", text: "Esta llamada ha alcanzado su duración máxima." };
      case "end_conversation_endpoint_hit":
      case "daily_room_has_been_deleted":
        return { title: "El anfitrión ha terminado la llamada", text: thanks };
      case "server_shutdown":
      case "server restarted":
        return { title: "El servidor se detuvo", text: "La llamada terminó con él." };
      case "taken":
        return { title: "La llamada está abierta en otro sitio", text: "Alguien ha entrado en otra pestaña o en otro dispositivo." };
      case "exception_encountered_during_conversation_startup":
      case "internal error occurred at step conversation":
      case "internal error occurred at step worker":
        return { title: "Algo salió mal", text: "Un problema del servidor terminó esta llamada. Empieza una nueva, por favor." };
      default:
        return { title: "La llamada ha terminado", text: thanks };
    }
  },
  deviceHelp(kind, problem, { userAgent, embedded }) {
    switch (problem) {
      case "refused":
        return { title: `Esta página no puede usar ${your[kind]}`, text: `${allow(device[kind], userAgent, embedded)} ${without[kind]}` };
      case "missing":
        return { title: `No se encontró ${none[kind]}`, text: `Conecta el dispositivo o enciéndelo y reinténtalo. ${without[kind]}` };
      case "in-use":
        return { title: `No se pudo iniciar ${your[kind]}`, text: `Puede que otro programa lo esté usando. Ciérralo y reinténtalo. ${without[kind]}` };
      case "insecure":
        return { title: `Esta página no puede usar ${your[kind]}`, text: `Los navegadores solo lo permiten en páginas cuya dirección empieza por https:// o http://localhost. ${without[kind]}` };
    }
  },
  guest: "Invitado",
  you: "Tú",
  interrupted: "interrumpido",
  title: (name) => `Habla con ${name}`,
  disclosure: (name) => `Vas a hablar con una IA. ${name} no es una persona: la cara y la voz las crea un ordenador, y lo que dice puede ser erróneo.`,
  people: (count) => `${count} personas en la llamada`,
  retryIn: (seconds) => `Nuevo intento en ${seconds} s`,
  summary: (seconds, turns) => `${duration(seconds)}${turns ? ` · ${turns} ${turns === 1 ? "respuesta" : "respuestas"}` : ""}`,
  readOut: (last) => `${last} ms`,
  readOutMedian: (median) => ` · mediana ${median} ms`,
  readOutLabel: (last, median) => `${last} ms · mediana ${median} ms: tiempo hasta la última respuesta. Mostrar las etapas.`,
  textMode: "Estás en la llamada sin micrófono. Escribe lo que quieras decir.",
  deviceLost: {
    microphone: "Se desconectó tu micrófono. Puedes seguir escribiendo o pulsar M para usar otro.",
    camera: "Se desconectó tu cámara. Pulsa V para usar otra.",
  },
  notSent: "No se envió: ahora mismo no hay conexión.",
  noScreen: "No se pudo compartir tu pantalla. Permítelo en el navegador o en el sistema y reinténtalo.",
  noEyes: "Esta réplica no mira pantallas ni cámaras.",
  asking: "Tu navegador pregunta si esta página puede usar tu micrófono y tu cámara.",
};
