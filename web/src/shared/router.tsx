/** Pages by address: the path names the page, the query its filters. */
import type { ComponentChildren, JSX } from "preact";
import { emit, useStore } from "./store.ts";

export const base = location.pathname.startsWith("/console") ? "/console" : "";
const scrolled = new Map<string, number>();

export const path = (): string => location.pathname.slice(base.length) || "/";
export const query = (): URLSearchParams => new URLSearchParams(location.search);

export function go(to: string, replace = false): void {
  scrolled.set(location.pathname, scrollY);
  history[replace ? "replaceState" : "pushState"](null, "", base + to);
  emit();
  if (!replace) {
    scrollTo(0, 0);
    document.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
  }
}

/** Writes one filter into the address; an empty value removes it. */
export function filter(name: string, value: string): void {
  const next = query();
  if (value) next.set(name, value);
  else next.delete(name);
  const text = next.toString();
  go(path() + (text ? `?${text}` : ""), true);
}

addEventListener("popstate", () => {
  emit();
  const at = scrolled.get(location.pathname);
  if (at !== undefined) requestAnimationFrame(() => scrollTo(0, at));
});

interface LinkProps extends Omit<JSX.HTMLAttributes<HTMLAnchorElement>, "href"> {
  to: string;
  children?: ComponentChildren;
}

export function Link({ to, children, ...rest }: LinkProps) {
  const onClick = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a {...rest} href={base + to} onClick={onClick}>
      {children}
    </a>
  );
}

type Page = (props: { id: string; sub: string }) => JSX.Element | null;

/** Draws the page whose pattern fits the address: `/products/:id`. */
export function Routes({ pages, missing }: { pages: Record<string, Page>; missing: Page }) {
  useStore();
  const parts = path().split("/").filter(Boolean).map(decodeURIComponent);
  const [first = "", second = "", third = ""] = parts;
  const pattern = `/${first}${second ? "/:id" : ""}${third ? "/:sub" : ""}`;
  const exact = pages[`/${parts.join("/")}`];
  const Found = exact ?? (parts.length < 4 ? pages[pattern] : undefined) ?? missing;
  return <Found key={`/${parts.join("/")}`} id={second} sub={third} />;
}
