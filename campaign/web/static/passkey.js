// Passkeys: hands a page's question to the browser and puts the answer into the form. Without it all else works.
"use strict";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (each) => each.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

function question(form) {
  const asked = JSON.parse(form.dataset.options);
  asked.challenge = bytes(asked.challenge);
  if (asked.user) asked.user.id = bytes(asked.user.id);
  for (const known of [...(asked.allowCredentials || []), ...(asked.excludeCredentials || [])]) known.id = bytes(known.id);
  return { publicKey: asked };
}

function written(credential) {
  const response = { clientDataJSON: text(credential.response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  if (credential.response.getTransports) response.transports = credential.response.getTransports();
  return JSON.stringify({ id: credential.id, rawId: text(credential.rawId), type: credential.type, response });
}

const forms = window.PublicKeyCredential ? document.querySelectorAll("form[data-passkey]") : [];
if (forms.length) document.getElementById("no-script").hidden = true;
for (const form of forms) {
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const refused = form.querySelector(".error");
    refused.hidden = true;
    try {
      const credential = await navigator.credentials[form.dataset.passkey](question(form));
      form.elements.passkey.value = written(credential);
      form.submit();
    } catch {
      refused.hidden = false;
    }
  });
}
