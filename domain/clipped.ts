/** A text of at most so many characters: the end of a longer one gives way to `…`. */
export function clipped(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}
