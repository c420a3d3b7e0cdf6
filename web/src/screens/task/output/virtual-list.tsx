import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown } from "lucide-react";
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { t } from "../../../i18n/task";

/** Nearer to the end than this (pixels) counts as being at the end. */
const AT_END_PX = 32;

interface Props {
  label: string;
  count: number;
  keyOf: (index: number) => string;
  estimate: (index: number) => number;
  render: (index: number) => ReactNode;
  /** How many lines the rows stand for: what "n new lines" counts. */
  lines: number;
  /** Follow the end from the start; else begin at the top. */
  startAtEnd: boolean;
  /** Scroll to this row whenever the object is a new one. */
  target: { index: number } | null;
  /** Called after every paint with the scroller, for highlighting what is visible. */
  onPaint?: (scroller: HTMLElement) => void;
}

/**
 * A list of any length of which only the visible part exists. It follows its end until the reader scrolls up, and
 * never moves what is being read.
 */
export function VirtualList({
  label,
  count,
  keyOf,
  estimate,
  render,
  lines,
  startAtEnd,
  target,
  onPaint,
}: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(startAtEnd);
  const [fits, setFits] = useState(true);
  const lastTop = useRef(0);
  const linesAtRelease = useRef(0);
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: estimate,
    getItemKey: keyOf,
    overscan: 8,
  });
  const height = virtual.getTotalSize();

  // biome-ignore lint/correctness/useExhaustiveDependencies: every change of content or height must keep the end in view
  useLayoutEffect(() => {
    const element = scroller.current;
    if (following && element) element.scrollTop = element.scrollHeight;
  }, [following, count, height, lines]);

  useEffect(() => {
    if (!target) return;
    setFollowing(false);
    virtual.scrollToIndex(target.index, { align: "center" });
  }, [target, virtual]);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    setFits(element.scrollHeight <= element.clientHeight);
    onPaint?.(element);
  });

  const onScroll = () => {
    const element = scroller.current;
    if (!element) return;
    const left = element.scrollHeight - element.scrollTop - element.clientHeight;
    if (left < AT_END_PX) setFollowing(true);
    else if (element.scrollTop < lastTop.current - 1 && following) {
      linesAtRelease.current = lines;
      setFollowing(false);
    }
    lastTop.current = element.scrollTop;
  };
  const fresh = following ? 0 : Math.max(0, lines - (linesAtRelease.current || lines));

  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={scroller}
        role="log"
        aria-live="off"
        aria-label={label}
        tabIndex={0}
        onScroll={onScroll}
        className="h-full overflow-y-auto overscroll-contain focus-visible:-outline-offset-2"
      >
        <div className="relative w-full" style={{ height }}>
          {virtual.getVirtualItems().map((item) => (
            <div
              key={item.key}
              ref={virtual.measureElement}
              data-index={item.index}
              className="absolute top-0 left-0 w-full"
              style={{ transform: `translateY(${item.start}px)` }}
            >
              {render(item.index)}
            </div>
          ))}
        </div>
      </div>
      {!following && !fits && (
        <button
          type="button"
          onClick={() => setFollowing(true)}
          className="absolute bottom-3 left-1/2 inline-flex h-8 -translate-x-1/2 items-center gap-1.5 rounded-full border border-line-strong bg-panel px-3 text-mini font-medium text-ink-2 shadow-pop hover:text-ink"
        >
          <ArrowDown size={13} aria-hidden />
          {fresh > 0 ? t("output.newLines", { n: fresh }) : t("output.toEnd")}
        </button>
      )}
    </div>
  );
}
