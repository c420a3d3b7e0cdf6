import { useQuery } from "@tanstack/react-query";
import { SendHorizontal } from "lucide-react";
import { type FormEvent, useEffect, useRef } from "react";
import { reposQuery } from "../../api/queries";
import { REPLAY } from "../../api/replay";
import { Button } from "../../components/ui/button";
import { Select, TextArea } from "../../components/ui/field";
import { t } from "../../i18n/chat";
import { useDraft } from "../../lib/draft";
import { useMay } from "../../lib/me";
import { visible } from "../../lib/visible";

interface Props {
  /** Of which conversation the draft is. */
  of: string;
  send: (text: string, repo: string) => void;
}

/** What is being written to the brain; it outlives a reload. */
export function Composer({ of, send }: Props) {
  const [text, edit] = useDraft(`chat.${of}`);
  const [repo, choose] = useDraft(`chat-repo.${of}`);
  const repos = useQuery(reposQuery).data?.items ?? [];
  const field = useRef<HTMLTextAreaElement>(null);
  const says = useMay()("sayToBrain") && !REPLAY;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another conversation is written to from its beginning
  useEffect(() => field.current?.focus({ preventScroll: true }), [of]);
  const submit = (event?: FormEvent) => {
    event?.preventDefault();
    if (!text.trim()) return;
    send(text.trim(), repo);
    edit("");
  };
  if (!says)
    return (
      <p className="shrink-0 border-t bg-panel px-3 py-3 text-ink-2 sm:px-6">
        {t(REPLAY ? "chat.inReplay" : "chat.mayNot")}
      </p>
    );
  return (
    <form onSubmit={submit} className="sticky bottom-0 shrink-0 border-t bg-panel px-3 py-2.5 sm:px-6">
      <div className="mx-auto flex max-w-[43rem] flex-wrap items-end gap-2">
        <TextArea
          ref={field}
          rows={1}
          aria-label={t("chat.message")}
          placeholder={t("chat.placeholder")}
          value={text}
          className="field-sizing-content max-h-60 min-h-8 w-auto! min-w-40 flex-1 resize-none! py-1.5!"
          onChange={(event) => edit(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
              event.preventDefault();
              submit();
            }
          }}
        />
        {repos.length > 1 && (
          <Select
            aria-label={t("chat.repo")}
            value={repo}
            className="w-auto! max-w-40"
            onChange={(event) => choose(event.target.value)}
          >
            <option value="">{t("chat.anyRepo")}</option>
            {repos.map(({ name }) => (
              <option key={name} value={name}>
                {visible(name)}
              </option>
            ))}
          </Select>
        )}
        <Button type="submit" look="primary" disabled={!text.trim()}>
          <SendHorizontal size={14} aria-hidden />
          {t("chat.send")}
        </Button>
      </div>
      <p className="mx-auto mt-1 max-w-[43rem] text-mini text-ink-3 max-sm:hidden">{t("chat.hint")}</p>
    </form>
  );
}
