/** The look of the widget, inside its shadow. A page changes it by the custom properties and by `::part()`. */

export const STYLE = `
:host {
  --accent: #0b7463;
  --size: 15rem;
  position: fixed;
  z-index: 2147483000;
  inset-block-end: 1.25rem;
  inset-inline-end: 1.25rem;
  font: 100%/1.4 system-ui, sans-serif;
  color-scheme: dark;
}
:host([inline]) { position: relative; inset: auto; display: block; inline-size: 100%; aspect-ratio: 1; --size: 100%; }
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
.open {
  display: flex; align-items: center; gap: .75rem; padding: .625rem 1.25rem .625rem .625rem; border: 0;
  border-radius: 999px; background: #151c23; color: #eef2f3; font: inherit; font-weight: 600; cursor: pointer;
  box-shadow: 0 1rem 2.5rem -.75rem rgb(0 0 0 / .5); text-align: start; max-inline-size: calc(100vw - 2.5rem);
}
.open small { display: block; font-weight: 400; color: #a0afb9; }
.monogram {
  display: grid; place-items: center; flex: none; inline-size: 3rem; block-size: 3rem; border-radius: 50%;
  background: linear-gradient(135deg, #f4c095, #74d6c3); color: #10211f; font-size: 1.25rem;
}
.call { position: relative; inline-size: min(var(--size), calc(100vw - 2.5rem)); aspect-ratio: 1; }
:host([inline]) .call { inline-size: 100%; }
.picture { inline-size: 100%; block-size: 100%; object-fit: cover; display: block; }
video.picture { border-radius: 1.25rem; background: #11171d; }
video.keyed { position: absolute; opacity: 0; pointer-events: none; inline-size: 1px; block-size: 1px; }
.controls {
  position: absolute; inset-block-end: .625rem; inset-inline: 0; display: flex; justify-content: center; gap: .5rem;
}
.controls button, .tap {
  display: grid; place-items: center; inline-size: 2.75rem; block-size: 2.75rem; border: 0; border-radius: 50%;
  background: rgb(13 18 23 / .72); color: #fff; font: inherit; cursor: pointer;
}
.controls button[aria-pressed="true"] { background: #f6f2ec; color: #b3262c; }
.controls .leave { background: #d93f45; }
.tap { position: absolute; inset: 0; margin: auto; inline-size: max-content; padding-inline: 1.25rem; border-radius: 999px; background: var(--accent); }
svg { inline-size: 1.375rem; block-size: 1.375rem; fill: none; stroke: currentColor; stroke-width: 1.75; stroke-linecap: round; stroke-linejoin: round; }
.caption, .note {
  position: absolute; inset-block-end: 4rem; inset-inline: .5rem; margin: 0; padding: .25rem .75rem; border-radius: .75rem;
  background: rgb(8 12 16 / .78); color: #fff; font-size: .875rem; max-block-size: 4.5em; overflow: hidden;
  display: flex; align-items: flex-end;
}
.note { inset-block: 0 auto; }
:focus-visible { outline: 3px solid #74d6c3; outline-offset: 2px; }
@media (prefers-reduced-motion: no-preference) { .open, .call { animation: appear .3s ease-out; } }
@keyframes appear { from { opacity: 0; transform: translateY(.5rem); } }
`;
