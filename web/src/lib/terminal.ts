import { webLink } from "./link";

/** A stretch of terminal text that leads to one address, or to none. Its colour sequences (`ESC […m`) are still in it. */
export interface Stretch {
  text: string;
  href: string | undefined;
  /** How many earlier versions of this line it was written over. */
  over: number;
}

const RESET = /\u001b\[0*m/;
const COLOUR = /\u001b\[[\d;]*m/g;
/** Moving the cursor makes no sense in a log, and a window has no title there. OSC 8 is a link and stays. */
const DROPPED = /\u001b\[[\d;?]*[A-HJKSTfhlnsu]|\u001b\](?!8;)[^\u0007\u001b]*(?:\u0007|\u001b\\)/g;
/** https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda */
const LINK = /\u001b\]8;[^;\u0007\u001b]*;([^\u0007\u001b]*)(?:\u0007|\u001b\\)/g;

/** What is left of a line that was written over and over (`10%⏎50%⏎100%` with a lone CR), and how often it was. */
function lastVersion(line: string): { text: string; over: number } {
  if (!line.includes("\r")) return { text: line, over: 0 };
  const versions = line.split("\r").filter((version) => version.replace(COLOUR, "") !== "");
  const last = versions.pop() ?? "";
  // A colour that an earlier version began goes on.
  return { text: (versions.join("").match(COLOUR) ?? []).join("") + last, over: versions.length };
}

/** What a terminal would show of the text at its end, in stretches. */
export function terminal(text: string): Stretch[] {
  const lines = text.replaceAll("\r\n", "\n").replace(DROPPED, "").split("\n").map(lastVersion);
  const stretches: Stretch[] = [];
  let href: string | undefined;
  let pending = "";
  let colours = "";
  const end = (over: number) => {
    if (pending || over) stretches.push({ text: colours + pending, href, over });
    // A colour lasts beyond the stretch in which it began, up to a reset.
    colours = (colours + (pending.match(COLOUR) ?? []).join("")).split(RESET).at(-1) ?? "";
    pending = "";
  };
  for (const [index, line] of lines.entries()) {
    if (index > 0) pending += "\n";
    if (line.over > 0) end(0);
    let from = 0;
    for (const link of line.text.matchAll(LINK)) {
      pending += line.text.slice(from, link.index);
      end(0);
      href = webLink(link[1] ?? "");
      from = link.index + link[0].length;
    }
    pending += line.text.slice(from);
    if (line.over > 0) end(line.over);
  }
  end(0);
  return stretches;
}
