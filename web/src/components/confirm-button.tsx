import { useState } from "react";
import { t } from "../i18n";
import { Button } from "./ui/button";
import { Confirm } from "./ui/dialog";

interface Props {
  label: string;
  /** What is asked before it is done, and what comes of it. */
  title: string;
  text: string;
  busy: boolean;
  act: () => void;
}

/** Ends something that somebody uses: it is asked for once more. */
export function ConfirmButton({ label, title, text, busy, act }: Props) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button size="sm" look="danger" busy={busy} onClick={() => setAsking(true)}>
        {label}
      </Button>
      <Confirm open={asking} onOpenChange={setAsking} title={title} description={text}>
        <div className="flex justify-end gap-2">
          <Button onClick={() => setAsking(false)}>{t("action.cancel")}</Button>
          <Button
            className="border-transparent! bg-bad-fill! text-white! hover:opacity-90"
            onClick={() => {
              setAsking(false);
              act();
            }}
          >
            {label}
          </Button>
        </div>
      </Confirm>
    </>
  );
}
