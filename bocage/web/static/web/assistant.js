/* The assistant's pages without reloading: what a form sends comes back in place, and a page that waits for a person asks for news.
   Each part marked data-live is replaced by the server's own rendering. Without this script the same forms send and the page reloads. */
(function () {
  "use strict";
  if (!window.fetch || !window.DOMParser) return;
  var FAST = 3000, SLOW = 20000, tag = "", pause = FAST, timer = 0, busy = false;
  document.documentElement.classList.add("js");

  function announce(text) { var place = document.getElementById("annonce"); if (place) place.textContent = text; }

  /* Replace each live part by its new self, unless the person is writing in it. Returns whether the thread changed. */
  function replace(html) {
    var fresh = new DOMParser().parseFromString(html, "text/html"), changed = false;
    document.querySelectorAll("[data-live]").forEach(function (old) {
      var now = fresh.getElementById(old.id);
      if (!now) return;
      var writing = old.contains(document.activeElement) && /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
      var typed = Array.prototype.some.call(old.querySelectorAll("textarea, input:not([type=hidden])"), function (field) {
        return field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
      });
      if (writing || typed || now.textContent === old.textContent && now.hasAttribute("data-alive") === old.hasAttribute("data-alive")) return;
      if (old.id === "fil") changed = true;
      old.replaceWith(document.importNode(now, true));
    });
    return { page: fresh, thread: changed };
  }

  function wait() {
    clearTimeout(timer);
    if (document.querySelector("[data-alive]")) timer = setTimeout(look, document.hidden ? SLOW : pause);
  }

  function look() {
    if (busy) return wait();
    var headers = { "X-Bocage-Vivant": "1" };
    if (tag) headers["If-None-Match"] = tag;
    fetch(location.pathname + location.search, { headers: headers, credentials: "same-origin", cache: "no-store" }).then(function (response) {
      if (response.status === 304) { pause = Math.min(SLOW, pause * 1.15); return; }
      if (!response.ok) { pause = SLOW; return; }
      tag = response.headers.get("ETag") || "";
      return response.text().then(function (html) {
        if (busy) return;
        if (replace(html).thread) { pause = FAST; announce("Nouveau message."); }
      });
    }).catch(function () { pause = SLOW; }).then(wait);
  }

  /* Where a language model words the answer, its sentences are shown as they come; the server's own rendering then takes their place. */
  function listen(form) {
    var token = form.querySelector("[name=csrfmiddlewaretoken]").value, decoder = new TextDecoder(), held = "";
    var place = document.createElement("div");
    place.className = "ex worded"; place.setAttribute("aria-busy", "true");
    form.replaceWith(place);
    busy = true;
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
    }).catch(function () { return null; }).then(function () { busy = false; tag = ""; pause = FAST; look(); });
  }

  document.addEventListener("submit", function (event) {
    var form = event.target, button = event.submitter;
    if (!form.matches("form[data-sends]") || busy) { if (busy) event.preventDefault(); return; }
    event.preventDefault();
    busy = true;
    var data = new FormData(form);
    if (button && button.name) data.append(button.name, button.value);
    if (document.querySelector("form[data-words]") && data.get("action") === "question") data.append("flux", "1");
    form.setAttribute("aria-busy", "true");
    announce("Envoi en cours.");
    /* A button named « action » hides the form's own property. */
    fetch(form.getAttribute("action") || location.pathname, { method: "POST", body: new URLSearchParams(data), credentials: "same-origin" }).then(function (response) {
      return response.text().then(function (html) { return { response: response, html: html }; });
    }).then(function (got) {
      var page = new DOMParser().parseFromString(got.html, "text/html");
      /* Another kind of page (erased, error of the server): show it as the browser would. */
      if (!page.getElementById("fil")) { location.assign(got.response.url); return; }
      if (document.activeElement && document.activeElement !== document.body) document.activeElement.blur();
      var was = form.querySelector("textarea"), wrong = page.querySelector("form.asking .note.bad");
      if (form.matches("[data-clears]") && was && !wrong) was.value = "";
      /* A field that was sent is no longer being written in. */
      form.querySelectorAll("input:not([type=hidden])").forEach(function (field) { field.value = field.defaultValue; field.checked = field.defaultChecked; });
      replace(got.html);
      var asking = document.querySelector("form.asking"), renewed = page.querySelector("form.asking");
      if (asking && renewed) {
        asking.setAttribute("action", renewed.getAttribute("action") || location.pathname);
        ["jeton", "csrfmiddlewaretoken"].forEach(function (name) {
          var mine = asking.querySelector("[name=" + name + "]"), theirs = renewed.querySelector("[name=" + name + "]");
          if (mine && theirs) mine.value = theirs.value;
        });
        var key = asking.querySelector("[name=cle]");
        if (key && !renewed.querySelector("[name=cle]")) key.remove();
        ["label", ".btn"].forEach(function (part) { asking.querySelector(part).textContent = renewed.querySelector(part).textContent; });
        var before = asking.querySelector(".note.bad");
        if (before) before.remove();
        if (wrong) asking.insertBefore(document.importNode(wrong, true), asking.querySelector("label"));
      }
      var after = page.querySelector("div.after");
      if (after && !document.querySelector("div.after") && asking) asking.after(document.importNode(after, true));
      if (!wrong) {
        history.replaceState(null, "", got.response.url.split("#")[0]);
        var last = document.getElementById("dernier");
        if (last) { last.focus({ preventScroll: true }); last.scrollIntoView({ block: "nearest" }); }
      }
      announce(wrong ? wrong.textContent : document.querySelector("#fil form[data-flux]") ? "Question reçue." : "Réponse arrivée.");
      tag = ""; pause = FAST;
    }).catch(function () {
      announce("Le serveur n’a pas répondu. Votre message est resté dans le champ : envoyez-le de nouveau, il ne sera compté qu’une fois.");
      var note = form.querySelector(".note.bad") || form.insertBefore(document.createElement("p"), form.firstChild);
      note.className = "note bad"; note.setAttribute("role", "alert");
      note.textContent = "Le serveur n’a pas répondu. Votre message est resté dans le champ : envoyez-le de nouveau, il ne sera compté qu’une fois.";
    }).then(function () {
      busy = false;
      form.removeAttribute("aria-busy");
      var pending = document.querySelector("#fil form[data-flux]");
      if (pending && !document.querySelector("form.asking .note.bad")) listen(pending); else wait();
    });
  });

  document.addEventListener("click", function (event) {
    var button = event.target.closest("button[data-copies]");
    if (!button || !navigator.clipboard) return;
    var field = document.getElementById(button.getAttribute("data-copies"));
    navigator.clipboard.writeText(field.value).then(function () { announce("Copié."); button.textContent = "Copié"; }, function () { field.select(); });
  });
  document.addEventListener("visibilitychange", function () { if (!document.hidden) { pause = FAST; wait(); } });
  wait();
})();
