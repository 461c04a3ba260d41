/** Questions about a ledger that only its owner can answer, each answer with what the ledger then adds up to. */
import { has, money, number, t } from "../../shared/i18n.ts";
import { Chip } from "../../shared/ui.tsx";
import type { Question, Sums } from "../types.ts";

export type Answers = Record<string, string>;

const SUMS = ["revenue", "returns", "net", "received", "owed", "expenses"] as const;

/** The sums by name, those that are zero left out. */
export function sumsOf(of: Sums): [name: string, value: string][] {
  return SUMS.filter((name) => of[name] !== 0 || name === "revenue").map((name) => [t(`sum.${name}`), money(of[name], true)]);
}

/** What an answer changes: the sums in which the answers to its question differ. */
function effect(of: Question, sums: Sums | null): string {
  if (!sums) return "";
  const differing = SUMS.filter((name) => new Set(of.answers.map((answer) => answer.sums?.[name])).size > 1);
  if (differing.length === 0) return t("question.same");
  return differing.map((name) => `${t(`sum.${name}`)} ${money(sums[name], true)}`).join(" · ");
}

export const open = (of: Question[], chosen: Answers): number => of.filter(({ code }) => !chosen[code]).length;

export function Questions({ of, chosen, choose }: { of: Question[]; chosen: Answers; choose: (code: string, value: string) => void }) {
  return (
    <>
      {of.map((question) => (
        <fieldset key={question.code} class="question">
          <legend>{question.message}</legend>
          {question.rows.length > 0 && <p class="soft">{t("question.rows", { rows: question.rows.slice(0, 8).map((row) => number(row)).join(", ") })}</p>}
          {question.answers.map((answer) => (
            <label key={answer.value} class="option">
              <input type="radio" name={question.code} value={answer.value} checked={chosen[question.code] === answer.value} onChange={() => choose(question.code, answer.value)} />
              <span>
                <span>
                  {answer.label} {answer.proposed && <Chip tone="plain">{t("question.likely")}</Chip>}
                </span>
                <small>{effect(question, answer.sums)}</small>
              </span>
            </label>
          ))}
        </fieldset>
      ))}
    </>
  );
}

/** The name of a field of a ledger. */
export const fieldName = (field: string): string => (has(`field.${field}`) ? t(`field.${field}`) : field);
