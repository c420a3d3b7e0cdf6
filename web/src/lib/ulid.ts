const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_LETTERS = 10;
const RANDOM_LETTERS = 16;

/** A new id that nobody else makes, and that sorts by its time: 26 letters of Crockford's base 32. */
export function ulid(now = Date.now()): string {
  let time = "";
  for (let left = now, n = 0; n < TIME_LETTERS; n++, left = Math.floor(left / 32))
    time = LETTERS.charAt(left % 32) + time;
  const random = crypto.getRandomValues(new Uint8Array(RANDOM_LETTERS));
  return time + Array.from(random, (byte) => LETTERS.charAt(byte % 32)).join("");
}
