/** Which screen is shown stands after the # of the address, so that Studio works under any path. */

import { useEffect, useState } from "preact/hooks";

export interface Place {
  /** `#/personas/p123` is `["personas", "p123"]`. */
  parts: string[];
  query: URLSearchParams;
}

export function link(path: string): string {
  return `#/${path}`;
}

export function go(path: string, replace = false): void {
  if (replace) location.replace(link(path));
  else location.hash = `/${path}`;
}

export function usePlace(): Place {
  const [place, setPlace] = useState(read);
  useEffect(() => {
    const changed = () => setPlace(read());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return place;
}

function read(): Place {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { parts: path.split("/").filter(Boolean).map(decodeURIComponent), query: new URLSearchParams(query) };
}
