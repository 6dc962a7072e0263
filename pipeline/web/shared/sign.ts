// Signing in and out. The token is sent once and kept nowhere.
import { byId } from "./dom.ts";

/** Wires the form; `changed` is called whenever the session did. */
export function startSign(changed: () => void): void {
  const form = byId<HTMLFormElement>("sign-in");
  const token = byId<HTMLInputElement>("token");
  const wrong = byId("wrong");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    wrong.textContent = "";
    const body = JSON.stringify({ token: token.value });
    token.value = "";
    fetch("/api/sign-in", { method: "POST", headers: { "content-type": "application/json" }, body }).then(
      async (answer) => {
        if (answer.ok) changed();
        else wrong.textContent = await answer.text();
      },
      () => {
        wrong.textContent = "the box does not answer";
      },
    );
  });
  byId("sign-out").addEventListener("click", () => {
    fetch("/api/sign-out", { method: "POST" }).then(changed, changed);
  });
}

/** Shows the form or that one is signed in. */
export function showSign(signedIn: boolean): void {
  byId("sign-in").hidden = signedIn;
  byId("in").hidden = !signedIn;
}
