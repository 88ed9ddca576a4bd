/* The assistant's pages without reloading: what a form sends comes back in place, and a page that waits for a person asks for news.
   Each part marked data-live is replaced by the server's own rendering. Without this script the same forms send and the page reloads. */
(function () {
  "use strict";
  if (!window.fetch || !window.DOMParser) return;
  var FAST = 3000, SLOW = 20000, tag = "", pause = FAST, timer = 0, busy = false, listening = false;
  var SILENT = "Le serveur n’a pas répondu. Votre message est resté dans le champ : envoyez-le de nouveau, "
    + "il ne sera compté qu’une fois.";
  var STALE = "Ce formulaire n’est plus valable. Copiez votre message, actualisez la page et envoyez-le de nouveau.";
  document.documentElement.classList.add("js");

  function announce(text) { var place = document.getElementById("annonce"); if (place) place.textContent = text; }

  function focusOn(place) {
    if (!place) return;
    if (place.tagName === "H2" && !place.hasAttribute("tabindex")) place.setAttribute("tabindex", "-1");
    place.focus({ preventScroll: true });
  }

  function bringTo(place) {
    focusOn(place);
    if (place) place.scrollIntoView({ block: "nearest" });
  }

  /* How many lines of each kind the thread shows: what is asked, what is answered, what happens to the request. */
  function counted() {
    var many = {};
    ["asked", "ex", "happens"].forEach(function (kind) {
      many[kind] = document.querySelectorAll("#fil ." + kind + ":not([aria-busy])").length;
    });
    return many;
  }

  /* What has just happened to the request, in the server's own words; nothing when it is an answer that came. */
  function happened(was) {
    var lines = document.querySelectorAll("#fil .happens");
    return counted().ex === was.ex && lines.length > was.happens ? lines[lines.length - 1].textContent : "";
  }

  /* Whoever stood on a link or a button that is drawn again stands on it still; when it is gone, on the title of its part. */
  function keepFocus(held, part) {
    var same = Array.prototype.find.call(part.querySelectorAll(held.tagName), function (other) {
      return other.textContent === held.textContent && other.getAttribute("href") === held.getAttribute("href");
    });
    focusOn(same || part.querySelector("#dernier, h2"));
  }

  /* Replace each live part by its new self, unless the person is writing in it. Returns whether the thread changed. */
  function replace(fresh) {
    var changed = false;
    document.querySelectorAll("[data-live]").forEach(function (old) {
      var now = fresh.getElementById(old.id);
      if (!now) return;
      var writing = old.contains(document.activeElement) && /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
      var typed = Array.prototype.some.call(old.querySelectorAll("textarea, input:not([type=hidden])"), function (field) {
        return field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
      });
      if (writing || typed || now.textContent === old.textContent && now.hasAttribute("data-alive") === old.hasAttribute("data-alive")) return;
      if (old.id === "fil") changed = true;
      var held = old.contains(document.activeElement) ? document.activeElement : null, part = document.importNode(now, true);
      old.replaceWith(part);
      if (held) keepFocus(held, part);
    });
    return changed;
  }

  function wait() {
    clearTimeout(timer);
    if (document.querySelector("[data-alive]")) timer = setTimeout(look, document.hidden ? SLOW : pause);
  }

  function look() {
    if (busy || listening) return wait();
    var headers = { "X-Bocage-Vivant": "1" };
    if (tag) headers["If-None-Match"] = tag;
    fetch(location.pathname + location.search, { headers: headers, credentials: "same-origin", cache: "no-store" }).then(function (response) {
      if (response.status === 304) { pause = Math.min(SLOW, pause * 1.15); return; }
      if (!response.ok) { pause = SLOW; return; }
      tag = response.headers.get("ETag") || "";
      return response.text().then(function (html) {
        if (busy || listening) return;
        var was = counted();
        if (replace(new DOMParser().parseFromString(html, "text/html"))) { pause = FAST; announce(happened(was) || "Nouveau message."); }
      });
    }).catch(function () { pause = SLOW; }).then(wait);
  }

  /* Where a language model words the answer, its sentences are shown as they come; the server's own rendering then takes their place. */
  function listen(form) {
    var token = form.querySelector("[name=csrfmiddlewaretoken]").value, decoder = new TextDecoder(), held = "";
    var place = document.createElement("div");
    place.className = "ex worded"; place.setAttribute("aria-busy", "true");
    form.replaceWith(place);
    listening = true;
    function told(block) {
      var name = /^event: (.*)$/m.exec(block), data = /^data: (.*)$/m.exec(block);
      if (!name || name[1] !== "phrase" || !data) return;
      var line = document.createElement("p");
      line.textContent = JSON.parse(data[1]).texte;
      place.appendChild(line);
    }
    return fetch(location.pathname, { method: "POST", credentials: "same-origin", headers: { "Accept": "text/event-stream", "X-CSRFToken": token }, body: new URLSearchParams({ action: "relancer" }) }).then(function (response) {
      var reader = response.body.getReader();
      return reader.read().then(function next(got) {
        held += decoder.decode(got.value || new Uint8Array(), { stream: !got.done });
        var blocks = held.split("\n\n");
        held = blocks.pop();
        blocks.forEach(told);
        return got.done ? null : reader.read().then(next);
      });
    }).catch(function () { return null; }).then(function () { listening = false; tag = ""; pause = FAST; look(); });
  }

  /* What was typed stays in its field, with the reason why it has not left. */
  function fail(form, why) {
    announce(why);
    var note = form.querySelector(".note.bad") || form.insertBefore(document.createElement("p"), form.firstChild);
    note.className = "note bad"; note.setAttribute("role", "alert");
    note.textContent = why;
  }

  /* The form of the next message, brought up to date without touching what is typed in it. */
  function renew(page, wrong) {
    var asking = document.querySelector("form.asking"), renewed = page.querySelector("form.asking");
    var after = page.querySelector("div.after");
    if (!asking || !renewed) return;
    asking.setAttribute("action", renewed.getAttribute("action") || location.pathname);
    ["jeton", "csrfmiddlewaretoken"].forEach(function (name) {
      var mine = asking.querySelector("[name=" + name + "]"), theirs = renewed.querySelector("[name=" + name + "]");
      if (mine && theirs) mine.value = theirs.value;
    });
    var key = asking.querySelector("[name=cle]"), before = asking.querySelector(".note.bad");
    if (key && !renewed.querySelector("[name=cle]")) key.remove();
    ["label", ".btn"].forEach(function (part) { asking.querySelector(part).textContent = renewed.querySelector(part).textContent; });
    if (before) before.remove();
    if (wrong) asking.insertBefore(document.importNode(wrong, true), asking.querySelector("label"));
    if (after && !document.querySelector("div.after")) asking.after(document.importNode(after, true));
  }

  /* Show the page that came back, say what it brings, and put the person in front of it. */
  function show(form, page, address) {
    var was = counted(), field = form.querySelector("textarea"), wrong = page.querySelector("form.asking .note.bad");
    if (document.activeElement && document.activeElement !== document.body) document.activeElement.blur();
    if (form.matches("[data-clears]") && field && !wrong) field.value = "";
    /* A field that was sent is no longer being written in. */
    form.querySelectorAll("input:not([type=hidden])").forEach(function (input) {
      input.value = input.defaultValue; input.checked = input.defaultChecked;
    });
    replace(page);
    renew(page, wrong);
    if (wrong) { announce(wrong.textContent); bringTo(document.querySelector("form.asking textarea")); return; }
    history.replaceState(null, "", address.split("#")[0]);
    var now = counted(), spoken = now.ex > was.ex || now.asked > was.asked;
    var request = form.closest("#personne") ? document.querySelector("#personne h2") : null;
    bringTo(spoken ? document.getElementById("dernier") : request || document.getElementById("dernier"));
    if (document.querySelector("#fil form[data-flux]")) announce("Question reçue.");
    else announce(now.ex > was.ex ? "Réponse arrivée." : happened(was) || (spoken ? "Message envoyé." : "C’est noté."));
  }

  document.addEventListener("submit", function (event) {
    var form = event.target, button = event.submitter;
    if (!form.matches("form[data-sends]") || !document.getElementById("fil")) return;
    event.preventDefault();
    var data = new FormData(form);
    if (button && button.name) data.append(button.name, button.value);
    if (busy) return;
    /* While an answer comes, a person may be called all the same; the next question waits its turn. */
    if (listening && data.get("action") === "question") { announce("Un instant : la réponse à votre question arrive."); return; }
    busy = true;
    if (document.querySelector("form[data-words]") && data.get("action") === "question") data.append("flux", "1");
    form.setAttribute("aria-busy", "true");
    announce("Envoi en cours.");
    /* A button named « action » hides the form's own property. */
    var sent = { method: "POST", body: new URLSearchParams(data), credentials: "same-origin" };
    fetch(form.getAttribute("action") || location.pathname, sent).then(function (response) {
      return response.text().then(function (html) {
        var page = new DOMParser().parseFromString(html, "text/html");
        if (page.getElementById("fil")) show(form, page, response.url);
        else if (response.status === 403 || response.status >= 500) fail(form, response.status === 403 ? STALE : SILENT);
        /* Another kind of page (erased): show it as the browser would. */
        else location.assign(response.url);
      });
    }).catch(function () { fail(form, SILENT); }).then(function () {
      busy = false; tag = ""; pause = FAST;
      form.removeAttribute("aria-busy");
      var pending = document.querySelector("#fil form[data-flux]");
      if (pending && !listening && !document.querySelector("form.asking .note.bad")) listen(pending); else wait();
    });
  });

  document.addEventListener("click", function (event) {
    var button = event.target.closest("button[data-copies]");
    if (!button) return;
    var field = document.getElementById(button.getAttribute("data-copies"));
    /* A browser lends its clipboard to https pages only: on a plain intranet the text is selected, one gesture away from being copied. */
    function selected() { field.focus(); field.select(); announce("Texte sélectionné : copiez-le."); button.textContent = "Texte sélectionné : copiez-le"; }
    if (!navigator.clipboard) return selected();
    navigator.clipboard.writeText(field.value).then(function () { announce("Copié."); button.textContent = "Copié"; }, selected);
  });
  document.addEventListener("visibilitychange", function () { if (!document.hidden) { pause = FAST; wait(); } });
  wait();
})();
