/** Requests to the server that this page came from. Owner of the API key that they carry. */

const STORED = "visavis.studio.key";

let key = sessionStorage.getItem(STORED) ?? localStorage.getItem(STORED);

/** Where things of the server are, under whatever path a proxy has put it. */
export function address(path: string): string {
  return new URL(path, document.baseURI.split("#")[0]).href;
}

/** An address of the server's own as this page reaches it, under the name in its address bar. */
export function here(url: string): string {
  const { pathname, search } = new URL(url, document.baseURI);
  return `${pathname}${search}`;
}

export function hasKey(): boolean {
  return key !== null;
}

/** Use this key from now on; `keep` remembers it after the browser is closed. */
export function useKey(given: string, keep: boolean): void {
  forgetKey();
  key = given;
  (keep ? localStorage : sessionStorage).setItem(STORED, given);
}

export function forgetKey(): void {
  key = null;
  sessionStorage.removeItem(STORED);
  localStorage.removeItem(STORED);
}

export function headers(): Record<string, string> {
  return key ? { "x-api-key": key } : {};
}

/** What the server refused, in its words; `field` is what they are about, where they name one. */
export class ApiError extends Error {
  readonly field: string | null;
  readonly expected: string;

  constructor(
    readonly status: number,
    text: string,
  ) {
    super(text);
    const found = /^([a-z_][\w.]*): (?:.*? is not valid; expected )?(.*)$/s.exec(text);
    this.field = found?.[1] ?? null;
    this.expected = found?.[2] ?? text;
  }
}

export async function request<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const json = body !== undefined && !(body instanceof FormData) && !(body instanceof Blob);
  const init: RequestInit = { method, headers: { ...headers(), ...(json ? { "content-type": "application/json" } : {}) } };
  if (body !== undefined) init.body = json ? JSON.stringify(body) : (body as BodyInit);
  if (signal) init.signal = signal;
  return read<T>(await reached(() => fetch(address(`v2/${path}`), init)));
}

export const get = <T>(path: string, signal?: AbortSignal) => request<T>("GET", path, undefined, signal);
export const post = <T>(path: string, body?: unknown, signal?: AbortSignal) => request<T>("POST", path, body, signal);

/** A form sent with its progress told, 0 to 1. */
export function upload<T>(path: string, form: FormData, told: (share: number) => void, signal: AbortSignal): Promise<T> {
  return new Promise((done, failed) => {
    const sending = new XMLHttpRequest();
    sending.open("POST", address(`v2/${path}`));
    for (const [name, value] of Object.entries(headers())) sending.setRequestHeader(name, value);
    sending.upload.onprogress = (event) => event.lengthComputable && told(event.loaded / event.total);
    sending.onload = () => read<T>(new Response(sending.responseText, { status: sending.status })).then(done, failed);
    sending.onerror = () => failed(new ApiError(0, UNREACHED));
    sending.onabort = () => failed(new DOMException("Given up", "AbortError"));
    signal.addEventListener("abort", () => sending.abort());
    sending.send(form);
  });
}

const UNREACHED = "The server cannot be reached. Is it still running?";

async function reached(ask: () => Promise<Response>): Promise<Response> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, UNREACHED);
  }
}

async function read<T>(answer: Response): Promise<T> {
  const text = await answer.text();
  if (answer.ok || answer.status === 304) return (text ? JSON.parse(text) : undefined) as T;
  let said = `The server answered ${answer.status}.`;
  try {
    said = (JSON.parse(text) as { error: string }).error;
  } catch {
    // A proxy in between may answer with something else than JSON.
  }
  throw new ApiError(answer.status, said);
}
