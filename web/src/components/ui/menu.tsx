import { Menu } from "@base-ui/react/menu";
import clsx from "clsx";
import { Check, ChevronDown } from "lucide-react";

export interface Choice {
  value: string;
  label: string;
  hint?: string;
}

interface Props {
  label: string;
  value: string;
  choices: readonly Choice[];
  onChange: (value: string) => void;
  active?: boolean;
}

/** One choice out of a few, behind a chip-sized button. */
export function ChoiceMenu({ label, value, choices, onChange, active }: Props) {
  const chosen = choices.find((choice) => choice.value === value);
  return (
    <Menu.Root>
      <Menu.Trigger
        className={clsx(
          "inline-flex h-7 shrink-0 items-center gap-1.5 rounded-md border px-2 text-mini font-medium whitespace-nowrap hover:bg-hover",
          active ? "border-accent bg-accent-soft text-accent" : "border-line-strong bg-panel text-ink-2",
        )}
      >
        <span className={active ? "" : "text-ink-3"}>{label}</span>
        {chosen?.label}
        <ChevronDown size={13} aria-hidden className="-mr-0.5 opacity-70" />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner sideOffset={4} align="start" className="z-50 outline-none">
          <Menu.Popup className="max-h-80 min-w-44 overflow-y-auto rounded-lg border border-line-strong bg-panel p-1 shadow-pop outline-none">
            <Menu.RadioGroup value={value} onValueChange={(next) => onChange(String(next))}>
              {choices.map((choice) => (
                <Menu.RadioItem
                  key={choice.value}
                  value={choice.value}
                  closeOnClick
                  className="flex cursor-default items-center gap-2 rounded-md py-1 pr-2 pl-7 outline-none data-[highlighted]:bg-hover"
                >
                  <Menu.RadioItemIndicator className="-ml-5 w-3">
                    <Check size={13} aria-hidden />
                  </Menu.RadioItemIndicator>
                  <span className="flex-1">{choice.label}</span>
                  {choice.hint && <span className="text-mini text-ink-3 tabular-nums">{choice.hint}</span>}
                </Menu.RadioItem>
              ))}
            </Menu.RadioGroup>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
