/** What is read aloud while a replica is recorded: the statement of consent, then enough speech for every sound. */

export interface Passage {
  /** What to do, where it is not to read. */
  cue?: string;
  text?: string;
  seconds: number;
}

const WORDS_A_SECOND = 2.3;

/** The person's agreement, in the words that the server listens for. */
export function statement(name: string): string {
  return (
    `I, ${name || "your name"}, agree that a replica of me is made from the video and sound that I provide. ` +
    "I know that it can be used to make videos that look and sound like me."
  );
}

const READ = [
  "Good morning. I would like to tell you about a walk that I took last week, along the river and up to the old bridge.",
  "The weather changed four or five times. First there was fog, then a little sun, and in the end a heavy shower of rain.",
  "Every few minutes a boat came by. Children waved from the deck, and their voices carried far over the quiet water.",
  "I thought about what my friends would say. Most of them prefer the mountains, but I have always enjoyed the valley.",
  "Under the bridge somebody was playing the violin. It was a cheerful tune, and I stopped for a while to listen.",
  "A baker sold fresh bread with cheese and olives. I bought two pieces, one for now and one for the way back.",
  "Usually I measure such a day by its small surprises: a joke, a strange hat, a dog that follows you for a mile.",
  "When I got home, my shoes were wet, my pockets were full of chestnuts, and I felt better than I had for weeks.",
];
const CLOSING = [
  "So if you ask me which path to choose, I say: take the one along the river, and do not hurry.",
  "Thank you for watching. I am looking forward to talking with you very soon.",
];

export function passages(name: string): Passage[] {
  const spoken = (text: string): Passage => ({ text, seconds: text.split(" ").length / WORDS_A_SECOND });
  return [
    { cue: "Look into the camera and take a breath", seconds: 3 },
    spoken(statement(name)),
    ...READ.map(spoken),
    { cue: "Smile, so that your teeth are seen", seconds: 4 },
    ...CLOSING.map(spoken),
    { cue: "Stay silent and friendly", seconds: 6 },
  ];
}
