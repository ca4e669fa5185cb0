/** Moments and amounts in words. */

const LANGUAGE = "en";
const short = new Intl.DateTimeFormat(LANGUAGE, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });
const long = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium", timeStyle: "medium", hour12: false });
const since = new Intl.RelativeTimeFormat(LANGUAGE, { numeric: "auto" });

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

export function moment(at: string | null | undefined): string {
  return at ? short.format(new Date(at)) : "–";
}

export function exactMoment(at: string | number): string {
  return long.format(new Date(at));
}

/** "3 hours ago", and the date after a week. */
export function ago(at: string | null | undefined): string {
  if (!at) return "never";
  const seconds = (Date.parse(at) - Date.now()) / 1000;
  if (Math.abs(seconds) > 7 * 86_400) return moment(at);
  const unit = UNITS.find(([, length]) => Math.abs(seconds) >= length);
  return unit ? since.format(Math.round(seconds / unit[1]), unit[0]) : "just now";
}

/** 75 s is "1:15". */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

export function milliseconds(ms: number | null | undefined): string {
  return ms === null || ms === undefined ? "–" : `${Math.round(ms)} ms`;
}

export function count(of: number, one: string, many = `${one}s`): string {
  return `${of} ${of === 1 ? one : many}`;
}
