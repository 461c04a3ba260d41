/** Logging in and out. */
import { forgetAnswers } from "./answers.ts";
import { forgetPosition, send } from "./api.ts";
import { language, speak } from "./i18n.ts";
import { keepSession, session, type User } from "./session.ts";

interface Tokens {
  access_token: string;
  refresh_token: string;
}

async function begin(path: string, body: unknown): Promise<User> {
  const answer = (await (await send("POST", path, { body })).json()) as { data: { user: User; tokens: Tokens } };
  const { user, tokens } = answer.data;
  forgetPosition();
  if (!localStorage.getItem("smartmarket.language")) speak(user.language);
  keepSession({ user, access: tokens.access_token, refresh: tokens.refresh_token });
  return user;
}

export const logIn = (email: string, password: string) => begin("/auth/login", { email, password });

/** Logs in by the link that the address carries (`#login=…`), if any, and takes it out of the address. */
export async function logInByLink(): Promise<void> {
  const code = new URLSearchParams(location.hash.slice(1)).get("login");
  if (!code) return;
  history.replaceState(null, "", location.pathname + location.search);
  await begin("/auth/login-link", { code });
}

export const register = (form: Record<string, string>) => begin("/auth/register", { ...form, language: language() });

/** Ends the session here at once, and at the server if it can be reached. */
export async function logOut(): Promise<void> {
  const now = session();
  if (!now) return;
  await send("POST", "/auth/logout", { body: { refresh_token: now.refresh } }).catch(() => undefined);
  keepSession(null);
  forgetPosition();
  await forgetAnswers();
}
