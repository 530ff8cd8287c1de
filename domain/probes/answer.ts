/** What came back over HTTP. */
export interface Answer {
  status: number;
  /** The beginning of the body. */
  text: string;
}

/** Why an answer is not the expected one. */
export interface Complaint {
  expected: string;
  seen: string;
  /** What a person would call a change of it. */
  gist: string;
}
