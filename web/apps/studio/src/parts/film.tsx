/** @jsxImportSource preact */
/** A replica's moving picture: plays while it is in view, or only when pointed at where people want less motion. */

import { useEffect, useRef } from "preact/hooks";

import type { Replica } from "../api/types";
import { here } from "../api/http";

const CALM = matchMedia("(prefers-reduced-motion: reduce)");

export function Film({ replica, lively = true }: { replica: Replica | undefined; lively?: boolean }) {
  const url = replica?.thumbnail_video_url;
  return (
    <div class="film">
      {url ? <Moving url={here(url)} lively={lively} /> : <span class="monogram">{(replica?.replica_name ?? "?").slice(0, 1)}</span>}
    </div>
  );
}

function Moving({ url, lively }: { url: string; lively: boolean }) {
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const film = element.current;
    if (!film) return;
    const calm = CALM.matches || !lively;
    const seen = new IntersectionObserver(([entry]) => {
      if (entry?.isIntersecting && !calm) play(film);
      else film.pause();
    });
    seen.observe(film);
    return () => seen.disconnect();
  }, [url, lively]);
  return (
    <video
      ref={element}
      src={`${url}#t=0.2`}
      muted
      loop
      playsInline
      preload="metadata"
      aria-hidden="true"
      onPointerEnter={(event) => play(event.currentTarget)}
    />
  );
}

function play(film: HTMLVideoElement): void {
  film.play().catch(() => undefined);
}
