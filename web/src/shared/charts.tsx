/** Small charts as SVG, each with the same numbers as a table beside it. */
import { useState } from "preact/hooks";
import { date, money, number, t } from "./i18n.ts";
import { Table } from "./ui.tsx";

export interface Bar {
  date: string;
  value: number;
}

const WIDTH = 600;
const HEIGHT = 160;

function Twin({ head, rows, caption }: { head: string[]; rows: string[][]; caption: string }) {
  return (
    <details class="twin">
      <summary>{t("chart.table")}</summary>
      <Table head={head} rows={rows} caption={caption} />
    </details>
  );
}

/** Taka per day; touching a bar shows its day. */
export function Bars({ of, label, start }: { of: Bar[]; label: string; start?: number }) {
  const [at, setAt] = useState(start ?? of.length - 1);
  const most = Math.max(1, ...of.map((bar) => bar.value));
  const step = WIDTH / Math.max(1, of.length);
  const chosen = of[Math.min(at, of.length - 1)];
  const average = of.reduce((sum, bar) => sum + bar.value, 0) / Math.max(1, of.length);
  const high = (value: number) => (value / most) * (HEIGHT - 10);
  const pick = (event: PointerEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    setAt(Math.max(0, Math.min(of.length - 1, Math.floor(((event.clientX - box.left) / box.width) * of.length))));
  };
  return (
    <figure class="chart">
      {chosen && (
        <figcaption>
          <span>{date(chosen.date, "wday")}</span> <strong>{money(chosen.value)}</strong>
        </figcaption>
      )}
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label} onPointerDown={pick} onPointerMove={pick}>
        <line class="mean" x1="0" x2={WIDTH} y1={HEIGHT - high(average)} y2={HEIGHT - high(average)} />
        {of.map((bar, index) => (
          <rect key={bar.date} class={index === at ? "bar on" : "bar"} x={index * step + step * 0.12} width={step * 0.76} y={HEIGHT - Math.max(2, high(bar.value))} height={Math.max(2, high(bar.value))} rx={Math.min(4, step * 0.2)} />
        ))}
      </svg>
      <div class="axis">
        <span>{of[0] && date(of[0].date, "short")}</span>
        <span>{t("chart.mean", { value: money(average) })}</span>
        <span>{of.length > 0 && date(of[of.length - 1]?.date ?? "", "short")}</span>
      </div>
      <Twin caption={label} head={[t("date"), t("amount")]} rows={of.map((bar) => [date(bar.date, "wday"), money(bar.value)])} />
    </figure>
  );
}

export interface BandPoint {
  date: string;
  value: number;
  low: number;
  high: number;
}

/** A line with the band in which it is expected, and a threshold. */
export function Band({ of, label, threshold, unit }: { of: BandPoint[]; label: string; threshold?: number | null; unit: "taka" | "piece" }) {
  const [at, setAt] = useState<number | null>(null);
  if (of.length === 0) return null;
  const values = of.flatMap((point) => [point.low, point.high, point.value]).concat(threshold ?? []);
  const top = Math.max(...values);
  const bottom = Math.min(0, ...values);
  const x = (index: number) => (of.length === 1 ? WIDTH / 2 : (index / (of.length - 1)) * WIDTH);
  const y = (value: number) => HEIGHT - 4 - ((value - bottom) / Math.max(1e-9, top - bottom)) * (HEIGHT - 8);
  const line = (pick: (point: BandPoint) => number, points = of) => points.map((point) => `${x(of.indexOf(point)).toFixed(1)} ${y(pick(point)).toFixed(1)}`).join("L");
  const shown = (value: number) => (unit === "taka" ? money(value) : number(value, 1));
  const chosen = of[at ?? of.length - 1];
  const pick = (event: PointerEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    setAt(Math.max(0, Math.min(of.length - 1, Math.round(((event.clientX - box.left) / box.width) * (of.length - 1)))));
  };
  return (
    <figure class="chart">
      {chosen && (
        <figcaption>
          <span>{date(chosen.date, "wday")}</span> <strong>{shown(chosen.value)}</strong> <span>{t("chart.band", { low: shown(chosen.low), high: shown(chosen.high) })}</span>
        </figcaption>
      )}
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label} onPointerDown={pick} onPointerMove={pick}>
        <path class="band" d={`M${line((point) => point.high)}L${line((point) => point.low, [...of].reverse())}Z`} />
        {threshold != null && <line class="limit" x1="0" x2={WIDTH} y1={y(threshold)} y2={y(threshold)} />}
        <path class="line" d={`M${line((point) => point.value)}`} />
        {chosen && <line class="at" x1={x(of.indexOf(chosen))} x2={x(of.indexOf(chosen))} y1="0" y2={HEIGHT} />}
      </svg>
      <div class="axis">
        <span>{of[0] && date(of[0].date, "short")}</span>
        {threshold != null && <span class="limit-key">{t("chart.limit", { value: shown(threshold) })}</span>}
        <span>{date(of[of.length - 1]?.date ?? "", "short")}</span>
      </div>
      <Twin
        caption={label}
        head={[t("date"), t("chart.expected"), t("chart.low"), t("chart.high")]}
        rows={of.map((point) => [date(point.date, "wday"), shown(point.value), shown(point.low), shown(point.high)])}
      />
    </figure>
  );
}

/** Parts of a whole as one bar. */
export function Parts({ of, label }: { of: { name: string; value: number; tone: string }[]; label: string }) {
  const whole = of.reduce((sum, part) => sum + part.value, 0);
  if (!whole) return null;
  let from = 0;
  return (
    <svg class="parts" viewBox="0 0 600 16" preserveAspectRatio="none" role="img" aria-label={`${label}: ${of.map((part) => `${part.name} ${number(part.value)}`).join(", ")}`}>
      {of.map((part) => {
        const x = from;
        const width = (part.value / whole) * 600;
        from += width;
        return <rect key={part.name} class={part.tone} x={x} width={Math.max(0, width - 2)} y="0" height="16" />;
      })}
    </svg>
  );
}
