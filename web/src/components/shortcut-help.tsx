import { type Key, t } from "../i18n/dialogs";
import { Kbd } from "./kbd";
import { Modal } from "./ui/dialog";

const SHORTCUTS: { title: Key; keys: [string[], Key][] }[] = [
  {
    title: "shortcuts.everywhere",
    keys: [
      [["c"], "shortcuts.create"],
      [["?"], "shortcuts.help"],
      [["/"], "shortcuts.search"],
    ],
  },
  {
    title: "shortcuts.list",
    keys: [
      [["j", "k"], "shortcuts.move"],
      [["↵"], "shortcuts.openTask"],
    ],
  },
  {
    title: "shortcuts.task",
    keys: [
      [["1", "…", "6"], "shortcuts.tabs"],
      [["a"], "shortcuts.approve"],
      [["n", "N"], "shortcuts.matches"],
      [["u"], "shortcuts.back"],
    ],
  },
];

export function ShortcutHelp(props: { open: boolean; onOpenChange: (open: boolean) => void }) {
  return (
    <Modal {...props} title={t("shortcuts.title")} className="w-[min(26rem,calc(100vw-2rem))]!">
      <div className="space-y-4">
        {SHORTCUTS.map((section) => (
          <section key={section.title}>
            <h3 className="mb-1 text-mini font-medium text-ink-3">{t(section.title)}</h3>
            <dl>
              {section.keys.map(([keys, what]) => (
                <div
                  key={what}
                  className="flex items-center justify-between border-b border-line py-1.5 last:border-0"
                >
                  <dt>{t(what)}</dt>
                  <dd className="flex gap-1">
                    {keys.map((key) => (
                      <Kbd key={key}>{key}</Kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  );
}
