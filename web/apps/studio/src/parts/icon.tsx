/** @jsxImportSource preact */
/** Line drawings, 24 by 24. */

const DRAWN = {
  home: "M4 11 12 4l8 7v8a1 1 0 0 1-1 1h-4v-6H9v6H5a1 1 0 0 1-1-1z",
  persona: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20a7.5 7.5 0 0 1 15 0",
  replica: "M5 4h14a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1zM9 10h.01M15 10h.01M8.5 14.5a4.5 4.5 0 0 0 7 0",
  conversation: "M6 4h12a3 3 0 0 1 3 3v7a3 3 0 0 1-3 3h-6l-5 4v-4H6a3 3 0 0 1-3-3V7a3 3 0 0 1 3-3zM8 9h8M8 12.5h5",
  key: "M15 9a4 4 0 1 0-3.5 4L13 14.5h2v2h2v2h3v-3l-5.3-5.3A4 4 0 0 0 15 9zM9.5 7.5h.01",
  webhook: "M7 17a3 3 0 1 1 2.7-4.3L13 7.5M9 9a3 3 0 1 1 5.6-1.5M17 14a3 3 0 1 1-2.8 4H8",
  usage: "M4 20V10M10 20V4M16 20v-7M21 20H3",
  plus: "M12 5v14M5 12h14",
  phone: "M5 4h3l2 5-2.5 1.5a11 11 0 0 0 6 6L15 14l5 2v3a2 2 0 0 1-2 2A15 15 0 0 1 3 6a2 2 0 0 1 2-2z",
  code: "m8 8-4 4 4 4M16 8l4 4-4 4M13.5 6l-3 12",
  copy: "M9 9h10v11H9zM6 15H5V4h10v2",
  share: "M12 15V4M8 7.5 12 4l4 3.5M6 11H5v9h14v-9h-1",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5",
  close: "m6.5 6.5 11 11M17.5 6.5l-11 11",
  menu: "M4 7h16M4 12h16M4 17h16",
  check: "m5 12.5 4.5 4.5L19 7.5",
  warn: "M12 4 2.8 20h18.4zM12 10v4.5M12 17.3v.01",
  record: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
  upload: "M12 16V5M7.5 9 12 4.5 16.5 9M5 19.5h14",
  photo: "M4 7h4l1.5-2h5L16 7h4v12H4zM12 16a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z",
  download: "M12 4v11M7 10.5l5 5 5-5M5 20h14",
  back: "M14.5 5.5 8 12l6.5 6.5",
  next: "m9.5 5.5 6.5 6.5-6.5 6.5",
  light: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
  sound: "M4 10v4h3.5l4.5 4V6l-4.5 4zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11",
  frame: "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4",
  out: "M10 4H5v16h5M14 8l4 4-4 4M18 12H9",
  again: "M5 12a7 7 0 1 0 2.3-5.2L4.5 9.2M4.5 4.5v4.7h4.7",
} as const;

export type IconName = keyof typeof DRAWN;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d={DRAWN[name]} />
    </svg>
  );
}
