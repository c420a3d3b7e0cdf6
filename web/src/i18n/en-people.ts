/** The words of logging in. */
export const enPeople = {
  "login.documentTitle": "Log in · Journeyman",
  "login.title": "Log in to Journeyman",
  "login.ready": "This link logs you in, once. Nothing has happened yet.",
  "login.go": "Log in",
  "login.needed": "You come in by a one-time link.",
  "login.howOwn": "On the machine that runs Journeyman, this prints one:",
  "login.howOthers": "Or ask an admin, who makes one with journeyman user link and your name.",
  "login.paste": "A link that you were given",
  "login.pasteHint": "The link, or its part after the #",
  "login.ended":
    "You were logged out, or the session has ended. Log in, and you come back to where you were.",
  "login.over":
    "This link does not log in: it was used, is older than an hour, or is not whole. You need another one.",
  "login.disabled": "You may not log in here any more. An admin can let you in again.",
  "login.already": "You are logged in as {who}.",
  "login.off": "The login is off: everybody on this machine is let in.",
  "login.goOn": "Go on",
} as const;
