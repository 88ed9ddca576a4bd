/* <bocage-assistant organisation="…">: the assistant of a local authority on its own web site.
   One file, no dependency. Styles are a constructable sheet inside a shadow root and every text is a text node: a strict
   Content-Security-Policy only has to name this server in script-src and connect-src. No cookie; the conversation's key stays in the tab. */
(function () {
  "use strict";
  var script = document.currentScript, home = script ? new URL(script.src).origin : location.origin;
  if (!window.customElements || customElements.get("bocage-assistant")) return;
  var CSS = ":host{all:initial;display:block;--brand:#2b5b3f;--on:#fff;--ink:#20241f;--soft:#575c52;--paper:#fff;--rule:#dbd8ca;--bad:#99330f;"
    + "font:400 1rem/1.5 'Segoe UI',-apple-system,Roboto,Arial,sans-serif;color:var(--ink)}"
    + "@media(prefers-color-scheme:dark){:host([dark=auto]){--brand:#9ccaa8;--on:#121a14;--ink:#e9e7dd;--soft:#b4b7aa;--paper:#161916;--rule:#3a403a;--bad:#f2a98c}}"
    + "*{box-sizing:border-box}section{background:var(--paper);color:var(--ink);border-top:4px solid var(--brand);padding:1rem;max-width:40rem}"
    + "h2{font-size:1.25rem;line-height:1.3;margin:0 0 .5rem}p,ul,blockquote,form{margin:0 0 .75rem}.s{font-size:.9375rem;color:var(--soft)}"
    + "a{color:var(--brand)}a:focus-visible,button:focus-visible,summary:focus-visible,textarea:focus-visible,input:focus-visible,[tabindex]:focus-visible{outline:3px solid #b35a00;outline-offset:2px}"
    + "button{font:600 1rem/1.3 inherit;font-family:inherit;min-height:2.75rem;padding:.5rem 1rem;margin:0 .5rem .5rem 0;border:1px solid var(--brand);border-radius:2px;background:none;color:var(--brand);cursor:pointer}"
    + "summary{cursor:pointer;padding:.5rem 0;color:var(--brand);font-weight:600}"
    + "button.m{background:var(--brand);color:var(--on)}button[aria-disabled=true]{opacity:.5}label{display:block;font-weight:600}"
    + "textarea,input[type=text]{width:100%;font:inherit;color:inherit;background:var(--paper);border:1px solid #7d8175;border-radius:2px;padding:.5rem;min-height:2.75rem;margin-bottom:.5rem}"
    + "blockquote{border-left:4px solid var(--brand);padding-left:1rem;font-size:1.0625rem}blockquote p{margin:0 0 .25rem;white-space:pre-line}"
    + ".you{font-weight:600;white-space:pre-line;margin-top:1rem}.who{border-left:4px double var(--brand);padding-left:1rem;white-space:pre-line}.bad{color:var(--bad);font-weight:600}"
    + ".log{max-height:28rem;overflow-y:auto}.h{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}@media print{form,button{display:none}.log{max-height:none}}";

  function el(name, attributes, children) {
    var node = document.createElement(name);
    Object.keys(attributes || {}).forEach(function (key) {
      if (key === "on") node.addEventListener("click", attributes.on);
      else if (attributes[key] !== undefined && attributes[key] !== "") node.setAttribute(key, attributes[key]);
    });
    [].concat(children === undefined ? [] : children).forEach(function (child) { if (child || child === 0) node.append(child); });
    return node;
  }
  function safe(url) { return /^(https?:\/\/|tel:)/.test(url) ? url : ""; }
  function link(url, text) { return safe(url) ? el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, text) : document.createTextNode(text); }
  function day(iso) { return new Date(iso + "T12:00:00").toLocaleDateString("fr-FR", { day: "numeric", month: "long", year: "numeric" }); }
  function nonce() { return Array.from(crypto.getRandomValues(new Uint8Array(12)), function (n) { return n.toString(16); }).join(""); }

  class BocageAssistant extends HTMLElement {
    connectedCallback() {
      if (this.shadowRoot) return;
      var root = this.attachShadow({ mode: "open" }), sheet = new CSSStyleSheet(), slug = this.getAttribute("organisation") || "";
      sheet.replaceSync(CSS);
      root.adoptedStyleSheets = [sheet];
      var colour = this.getAttribute("couleur");
      if (colour && /^#[0-9a-f]{6}$/i.test(colour)) { var own = new CSSStyleSheet(); own.replaceSync(":host{--brand:" + colour + "}"); root.adoptedStyleSheets = [sheet, own]; }
      this.base = home + "/" + encodeURIComponent(slug) + "/assistant-widget/";
      this.store = "bocage-assistant-" + slug;
      this.seen = 0; this.pause = 3000; this.waiting = nonce();
      this.box = el("section", { "aria-label": "Assistant" });
      root.append(this.box);
      try { this.key = sessionStorage.getItem(this.store) || ""; } catch (e) { this.key = ""; }
      this.call("GET", "").then(function (first) { this.first = first; this.draw(); if (this.key) this.look(); }.bind(this), this.away.bind(this));
    }
    disconnectedCallback() { clearTimeout(this.timer); }
    call(method, path, body) {
      var asked = { method: method, mode: "cors", credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer" };
      if (body) { asked.headers = { "Content-Type": "application/json" }; asked.body = JSON.stringify(body); }
      return fetch(this.base + path, asked).then(function (response) {
        return response.json().then(function (got) {
          if (response.ok) return got;
          throw Object.assign(new Error(got.error ? got.error.message : "Le serveur n’a pas répondu."), { status: response.status });
        });
      });
    }
    away(error) { this.box.replaceChildren(el("p", { role: "alert" }, error.status ? error.message : "L’assistant ne répond pas. Adressez-vous à la collectivité.")); }
    draw() {
      var f = this.first;
      this.log = el("div", { class: "log", role: "log", "aria-label": "Conversation", tabindex: "0" });
      this.human = el("div", { role: "group", "aria-label": "Parler à une personne", tabindex: "-1" });
      this.news = el("p", { class: "s", role: "status" });
      this.drawn = "";
      this.problem = el("p", { class: "bad", role: "alert" });
      this.field = el("textarea", { id: "q", rows: "2", maxlength: f.most, "aria-describedby": "k" });
      this.send = el("button", { class: "m", type: "submit" }, "Envoyer");
      this.form = el("form", {}, [el("label", { for: "q" }, "Votre question"),
        el("p", { class: "s", id: "k" }, "N’écrivez ni nom ni numéro personnel. Gardé " + f.days + " jours, puis effacé."), this.field, this.send]);
      this.form.addEventListener("submit", function (event) {
        event.preventDefault();
        if (this.field.value.trim()) this.act({ action: "question", texte: this.field.value, jeton: this.waiting }, true);
      }.bind(this));
      this.box.replaceChildren(el("h2", {}, "Poser une question à " + f.name),
        el("p", { class: "s" }, "Vous parlez à une machine. Elle recopie mot pour mot le passage qui répond, avec sa source. Une personne est à un clic."),
        this.news, this.log, this.problem, this.form, this.human);
      this.people({ state: "bot" });
    }
    /* Drawn again only when something in it changes: a button that the person has reached stays under the finger. */
    people(talk) {
      var f = this.first, self = this, parts = [], at = this.shadowRoot.activeElement, expected = talk.expected || f.expected;
      var now = JSON.stringify([talk.state, talk.person, talk.promise, talk.services, talk.contact, talk.calm, talk.reopens,
        expected, !!this.key]);
      if (now === this.drawn || this.human.contains(at) && /INPUT/.test(at.tagName)) return;
      this.drawn = now;
      function does(action, text, main, more) { return el("button", { type: "button", class: main ? "m" : "", on: function () { self.act(Object.assign({ action: action }, more)); } }, text); }
      if (talk.reopens) parts = [el("p", {}, "Votre demande est réglée."), does("rouvrir", "Ce n’est pas réglé")];
      if (/^(bot|resolu)$/.test(talk.state)) parts.push(el("p", { class: "s" }, expected), does("personne", "Demander une personne"));
      else {
        parts.push(el("p", {}, talk.person ? talk.person + " vous répond. La machine se tait." : "Votre demande est enregistrée. " + talk.promise));
        if (talk.state === "demande") (talk.services || []).forEach(function (s) { parts.push(does("service", s.name, false, { service: s.slug })); });
        if (!talk.contact) parts.push(this.contact());
        if (talk.calm) parts.push(does("pas-urgence", "Ce n’est pas une urgence : chercher la réponse"));
        if (talk.state !== "humain") parts.push(does("retirer", "Retirer ma demande"));
      }
      if (f.phone) parts.push(el("p", { class: "s" }, ["Par téléphone : ", link("tel:" + f.tel, f.phone)]));
      if (this.key) parts.push(el("details", {}, [el("summary", {}, "Effacer cette conversation"),
        el("p", {}, "Tout ce qui est écrit ici disparaît, pour vous et pour la collectivité"
          + (/^(bot|resolu)$/.test(talk.state) ? "" : ", et votre demande à une personne avec") + ". Cela ne se défait pas."),
        does("effacer", "Effacer pour toujours")]));
      this.human.replaceChildren.apply(this.human, parts);
      /* The button that was pressed may be gone: the focus goes to what takes its place. */
      if (at && !at.isConnected) this.human.focus();
    }
    contact() {
      var field = el("input", { type: "text", id: "c", maxlength: "200" }), agree = el("input", { type: "checkbox", id: "o" });
      var form = el("form", {}, [el("label", { for: "c" }, "Être rappelé ou prévenu (facultatif)"), field,
        el("p", {}, [agree, " ", el("label", { for: "o", class: "i" }, "J’accepte d’être contacté pour cette demande")]), el("button", { type: "submit" }, "Laisser ce contact")]);
      form.addEventListener("submit", function (event) {
        event.preventDefault();
        this.shadowRoot.activeElement && this.shadowRoot.activeElement.blur();
        this.act({ action: "contact", contact: field.value, accord: agree.checked ? "oui" : "" });
      }.bind(this));
      return form;
    }
    act(body, asks) {
      if (this.busy) return;
      this.busy = true; this.send.setAttribute("aria-disabled", "true"); this.problem.textContent = ""; this.news.textContent = "";
      var known = this.key, from = this.shadowRoot.activeElement;
      this.call("POST", known ? encodeURIComponent(known) + "/" : "", known ? body : Object.assign({ start: this.first.start }, body)).then(function (talk) {
        if (talk.erased) { this.field.value = ""; return this.forget("La conversation est effacée. Il n’en reste rien ici."); }
        if (asks) { this.field.value = ""; this.waiting = nonce(); }
        this.show(talk);
        if (from && !from.isConnected && !this.shadowRoot.activeElement) this.log.focus();
      }.bind(this), function (error) {
        if (error.status === 404 && known) return this.forget(error.message);
        this.problem.textContent = error.status ? error.message : "Le serveur n’a pas répondu. Votre message est resté dans le champ : envoyez-le de nouveau.";
      }.bind(this)).then(function () { this.busy = false; this.send.removeAttribute("aria-disabled"); }.bind(this));
    }
    /* A new start, told why; a message that was being written is kept. */
    forget(why) {
      var typed = this.field.value, inside = this.shadowRoot.activeElement;
      try { sessionStorage.removeItem(this.store); } catch (e) { /* Storage is off: the key lived in memory only. */ }
      this.key = ""; this.seen = 0; clearTimeout(this.timer);
      return this.call("GET", "").then(function (first) {
        this.first = first;
        this.draw();
        this.field.value = typed;
        this.news.textContent = why;
        if (inside) this.field.focus();
      }.bind(this), this.away.bind(this));
    }
    look() {
      this.call("GET", encodeURIComponent(this.key) + "/").then(this.show.bind(this), function (error) {
        if (error.status === 404) return this.forget(error.message);
        this.later(20000);
      }.bind(this));
    }
    later(pause) { clearTimeout(this.timer); this.timer = setTimeout(this.look.bind(this), document.hidden ? 20000 : pause); }
    show(talk) {
      this.key = talk.key;
      try { sessionStorage.setItem(this.store, talk.key); } catch (e) { /* Storage is off: the key lives in memory only. */ }
      var fresh = talk.messages.filter(function (m) { return m.id > this.seen; }, this);
      if (fresh.length) this.log.querySelectorAll("div.o").forEach(function (old) { old.remove(); });
      fresh.forEach(function (m) { this.seen = m.id; this.log.append(this.message(m)); }, this);
      if (fresh.length) { this.log.scrollTop = this.log.lastChild.offsetTop - this.log.offsetTop; this.pause = 3000; } else this.pause = Math.min(20000, this.pause * 1.2);
      this.people(talk);
      clearTimeout(this.timer);
      if (talk.alive) this.later(this.pause);
    }
    message(m) {
      var self = this, node = el("div", {}), choice = nonce();
      if (m.author === "citoyen") return el("p", { class: "you", dir: "auto" }, m.text);
      if (m.author === "systeme") return el("p", { class: "s" }, m.who + " : " + m.text);
      if (m.author === "agent") { node.append(el("p", { class: "s" }, m.who), el("p", { class: "who", dir: "auto" }, m.text)); return node; }
      if (m.kind === "urgence") node.append(el("p", { class: "bad" }, ["En danger ? Appelez ", link("tel:15", "15"), ", ", link("tel:112", "112"), " ou ", link("tel:3114", "3114"), "."]));
      if (m.notice) node.append(el("p", {}, m.notice));
      if (m.worded.length) node.append(el("p", { class: "s" }, "En plus simple, par un modèle de langage. Chaque phrase est vérifiée dans le passage dont elle porte le numéro."));
      m.worded.forEach(function (w) { node.append(el("p", {}, [w.text + " ", el("sup", {}, String(w.passage))])); });
      m.quotes.forEach(function (q, n) {
        if (m.worded.length) node.append(el("p", { class: "s" }, "Passage " + (n + 1)));
        if (q.case.length) node.append(el("p", { class: "s" }, "Si : " + q.case.join(", et ")));
        node.append(el("blockquote", {}, q.sentences.map(function (s) { return el("p", {}, s); })),
          el("p", { class: "s" }, [q.origin + " : " + q.place + ". " + (q.publisher ? q.publisher + ". " : "") + (q.date ? "Mise à jour le " + day(q.date) + ". " : "Sans date. ") + (q.licence ? q.licence + ". " : ""),
            q.stale ? el("b", {}, "Plus de douze mois : vérifiez avant d’agir. ") : "", q.url ? link(q.url, "Lire la source") : ""]));
      });
      if (m.text) node.append(el("p", { dir: "auto", lang: m.lang }, m.text));
      if (m.steps.length) node.append(el("ul", {}, m.steps.map(function (s) { return el("li", {}, [s.kind + " : ", link(s.href, s.label), s.target && s.target !== s.label && !/^https?:/.test(s.target) ? ", " + s.target : ""]); })));
      if (m.options.length) node.append(el("div", { class: "o" }, m.options.map(function (o) {
        return el("button", { type: "button", on: function () { self.act({ action: "question", texte: o.question, jeton: choice }); } }, o.label);
      })));
      return node;
    }
  }
  customElements.define("bocage-assistant", BocageAssistant);
})();
