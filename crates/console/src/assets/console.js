'use strict';
// What makes the page live. The page works without any of this: links and forms do the same, with a reload.
(() => {
  const $ = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  // What scripts say, in the language of the page; English is its own key.
  const said = JSON.parse(document.body.dataset.words ?? '{}');
  const t = (words) => said[words] ?? words;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
  const known = document.cookie.split('; ').find((pair) => pair.startsWith('zone='));
  const written = encodeURIComponent(zone).replace(/[.!~*'()]/g, (c) => '%' + c.charCodeAt(0).toString(16));
  document.cookie = `zone=${written}; Path=/; SameSite=Strict; Max-Age=31536000`;
  if (!known && $('#main time')) location.reload();

  const pieces = (html) => { const box = document.createElement('template'); box.innerHTML = html; return box.content; };
  const visible = () => document.visibilityState === 'visible';
  // A page listens while somebody sees it, and catches up when somebody does again. Browsers take six connections to one
  // host, and keep those of hidden pages and of pages that one has left.
  const whileSeen = (listen, leave) => {
    const turn = () => (visible() ? listen() : leave());
    document.addEventListener('visibilitychange', turn);
    addEventListener('pagehide', leave);
    addEventListener('pageshow', (event) => { if (event.persisted) turn(); });
    turn();
  };
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  // ------------------------------------------------------------------ the chat
  const scroll = $('#scroll');
  const rows = $('#rows');
  const chat = scroll?.dataset.chat;
  const atEnd = () => !scroll.dataset.newer && scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  const toEnd = () => { scroll.scrollTop = scroll.scrollHeight; };

  // The first row of a day says which day it is.
  const markDay = (row) => {
    const before = row?.previousElementSibling;
    row?.classList.toggle('newday', !before || before.dataset.day !== row.dataset.day);
  };
  // Quotes of messages that were not loaded yet when the quote was.
  const fillQuotes = () => all('.quote', rows).forEach((quote) => {
    if (quote.querySelector('b')) return;
    const said = byMessage(quote.dataset.q);
    if (!said) return;
    const by = document.createElement('b');
    by.textContent = $('.by bdi', said)?.textContent ?? '';
    quote.replaceChildren(by, ' ' + ($('.text', said)?.textContent ?? $('.media b', said)?.textContent ?? '').slice(0, 90));
  });
  const byMessage = (id) => id && rows.querySelector(`[data-m~="${CSS.escape(id)}"]`);

  // Files: how large they are, and what became of those that are not here. One that is not fetched yet is asked for
  // again, each time later.
  const bytes = (size) => (size < 1e3 ? `${size} B` : size < 1e6 ? `${Math.round(size / 1e3)} kB` : `${(size / 1e6).toFixed(1)} MB`);
  const LATER = [2, 4, 8, 15, 30, 60];
  const timers = new WeakMap();
  const look = async (file, tries = 0) => {
    if (!file.isConnected) return;
    clearTimeout(timers.get(file));
    const state = $('.state', file);
    const say = (words, again) => {
      for (const part of file.children) if (part !== state) part.hidden = true;
      state.hidden = false;
      state.textContent = `${file.dataset.what}: ${words} `;
      if (!again) return;
      const button = Object.assign(document.createElement('button'), { type: 'button', className: 'quiet', textContent: t('Try again') });
      button.onclick = () => look(file);
      state.append(button);
    };
    let told;
    try {
      const answer = await fetch(`${file.dataset.file}?about`);
      told = await answer.json();
    } catch { return say(t('The file can’t be had now.'), true); }
    if (told.error) return say(told.error);
    if (told.later) {
      say(t('The file has not come yet.'), true);
      delete file.dataset.broken;
      clearTimeout(timers.get(file));
      if (tries < LATER.length) timers.set(file, setTimeout(() => look(file, tries + 1), LATER[tries] * 1000));
      return;
    }
    $('.size', file).textContent = ` · ${bytes(told.size)}`;
    const shown = $('.shown', file);
    const image = shown?.querySelector('img');
    const broken = 'broken' in file.dataset || (state.hidden && image?.complete && !image.naturalWidth);
    if (!state.hidden && shown && !broken) (image ?? shown).src = file.dataset.file;
    state.hidden = true;
    if (shown) shown.hidden = broken;
    $('.kept', file).hidden = Boolean(shown) && !broken;
  };
  const sights = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) if (isIntersecting) { sights.unobserve(target); look(target); }
  });
  const watchFiles = (from) => all('[data-file]', from).forEach((file) => sights.observe(file));
  // What can’t be shown after all is kept instead: a file is not always what its name says.
  document.addEventListener('error', (event) => {
    const file = event.target.closest?.('[data-file]');
    if (!file || !event.target.matches('img, audio, video')) return;
    file.dataset.broken = '';
    look(file);
  }, true);

  // How long the channel takes free words yet.
  const free = $('.compose .window');
  const lasts = (seconds) => {
    const pair = (one, first, two, second) => (second ? `${first} ${one} ${second} ${two}` : `${first} ${one}`);
    const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600), Math.floor(seconds / 60)];
    return days ? pair(t('d'), days, t('h'), hours % 24) : hours ? pair(t('h'), hours, t('min'), minutes % 60) : minutes ? pair(t('min'), minutes, t('s'), seconds % 60) : `${seconds} ${t('s')}`;
  };
  const leave = (said) => {
    if (!free) return;
    const until = Math.max(Number(free.dataset.until), said ? said + 86400 : 0);
    free.dataset.until = until;
    if (said) free.hidden = false;
    const left = Math.floor(until - Date.now() / 1000);
    free.classList.toggle('shut', left <= 0);
    free.textContent = left > 0 ? free.dataset.open.replace('{}', lasts(left)) : free.dataset.shut;
  };

  const place = (row) => {
    watchFiles(row);
    if (row.matches('.in')) leave(Date.parse($('time', row)?.dateTime) / 1000 || 0);
    const old = document.getElementById(row.id);
    if (old && old.dataset.k === row.dataset.k) {
      row.classList.toggle('newday', old.classList.contains('newday'));
      old.replaceWith(row);
      return row;
    }
    const next = old?.nextElementSibling;
    old?.remove();
    markDay(next);
    let after = rows.lastElementChild;
    while (after && after.dataset.k > row.dataset.k) after = after.previousElementSibling;
    if (after) after.after(row); else rows.prepend(row);
    markDay(row);
    markDay(row.nextElementSibling);
    return row;
  };

  const load = async (way) => {
    const token = scroll.dataset[way];
    if (!token || scroll.dataset.loading) return;
    scroll.dataset.loading = way;
    try {
      const answer = await fetch(`/c/${chat}/entries?${way === 'older' ? 'before' : 'after'}=${encodeURIComponent(token)}`);
      if (!answer.ok) return;
      const list = $('ol', pieces(await answer.text()));
      const come = [...list.children].filter((row) => !document.getElementById(row.id));
      const first = rows.firstElementChild;
      const last = rows.lastElementChild;
      const below = scroll.scrollHeight - scroll.scrollTop;
      come.forEach(watchFiles);
      if (way === 'older') rows.prepend(...come); else rows.append(...come);
      markDay(way === 'older' ? first : last?.nextElementSibling);
      // What one looks at stays where it is.
      if (way === 'older') {
        if (!list.dataset.older) $('#older').textContent = t('The chat begins here');
        scroll.scrollTop = scroll.scrollHeight - below;
      }
      if (list.dataset[way]) scroll.dataset[way] = list.dataset[way]; else delete scroll.dataset[way];
      if (way === 'newer' && !scroll.dataset.newer) $('#newer')?.remove();
      fillQuotes();
    } finally {
      delete scroll.dataset.loading;
    }
    near();
  };
  const near = () => {
    if (scroll.scrollTop < 1200) load('older');
    if (scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 800) load('newer');
    $('#latest').hidden = atEnd() || (!scroll.dataset.newer && scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 500);
  };

  const flash = (row) => { row.classList.remove('flash'); void row.offsetWidth; row.classList.add('flash'); };
  const jump = (number) => {
    const stamp = document.getElementById('t' + number);
    if (!stamp) return false;
    stamp.scrollIntoView({ block: 'center' });
    flash(stamp.closest('.row'));
    history.replaceState(null, '', '#t' + number);
    return true;
  };

  // Rows that stand for what was sent and is not confirmed yet.
  const pending = new Map();
  const pend = (text, kind, name) => {
    const row = document.createElement('li');
    row.className = `row pending ${kind === 'stamp' ? 'mark' : 'out'}`;
    row.dataset.k = '~';
    row.dataset.day = rows.lastElementChild?.dataset.day ?? '';
    const lanes = document.createElement('div');
    lanes.className = 'lanes';
    const open = all('i:not(.ends)', rows.lastElementChild ?? document.createElement('i')).map((lane) => lane.cloneNode());
    open.forEach((lane) => lane.classList.remove('begins'));
    lanes.append(...open);
    const what = document.createElement('div');
    what.className = 'what';
    if (kind === 'stamp') {
      what.append(Object.assign(document.createElement('div'), { className: 'stamp', textContent: text }));
    } else {
      const bubble = Object.assign(document.createElement('article'), { className: 'bubble ' + kind });
      const by = Object.assign(document.createElement('p'), { className: 'by', textContent: name });
      const said = Object.assign(document.createElement('p'), { className: 'text', textContent: text, dir: 'auto' });
      const foot = Object.assign(document.createElement('p'), { className: 'foot', textContent: t('sending …') });
      bubble.append(by, said, foot);
      what.append(bubble);
    }
    row.append(lanes, what);
    rows.append(row);
    toEnd();
    return row;
  };
  const confirm = (revision) => all(`[data-revision]`, rows).forEach((row) => {
    if (Number(row.dataset.revision) <= revision) row.remove();
  });

  let cursor = scroll?.dataset.after;
  let newest = 0;
  let source;
  const status = (text) => { const box = $('#connection'); if (box && box.textContent !== text) box.textContent = text; };
  const follow = () => {
    source?.close();
    if (!visible()) return;
    source = new EventSource(`/c/${chat}/live?after=${encodeURIComponent(cursor)}`);
    source.addEventListener('hello', () => status(''));
    source.addEventListener('beat', (event) => { cursor = event.lastEventId || cursor; });
    source.addEventListener('entry', (event) => {
      cursor = event.lastEventId || cursor;
      const entry = JSON.parse(event.data);
      newest = Math.max(newest, entry.revision);
      const row = pieces(entry.html).firstElementChild;
      const shown = document.getElementById(entry.id);
      // Further down than what is loaded: it comes when one scrolls there.
      if (!shown && scroll.dataset.newer) { $('#latest').hidden = false; return; }
      const first = rows.firstElementChild;
      // Above what is loaded: likewise.
      if (!shown && scroll.dataset.older && first && row.dataset.k < first.dataset.k) return;
      const end = atEnd();
      rows.className = `rows w${entry.lanes}`;
      place(row);
      for (const lane of all('i.ends', row)) all(`i[data-t="${lane.dataset.t}"].open`, rows).forEach((i) => i.classList.remove('open'));
      confirm(entry.revision);
      fillQuotes();
      if (end) toEnd(); else $('#latest').hidden = false;
      if (row.classList.contains('in') && end && visible()) read();
    });
    source.addEventListener('panel', (event) => put(JSON.parse(event.data).html));
    source.onerror = () => {
      status(t('Connection lost, trying again …'));
      if (source.readyState === EventSource.CLOSED) setTimeout(follow, 1500);
    };
  };
  // Puts pieces where they belong, unless somebody writes there.
  const put = (html) => {
    for (const piece of pieces(html).children) {
      const box = document.getElementById(piece.dataset.for);
      if (!box) continue;
      const typed = all('input:not([type=hidden]), select, textarea', box).filter((field) => field.matches(':focus') || field.dataset.touched);
      const kept = typed.map((field) => [field.form?.getAttribute('action'), field.name, field.value, field.matches(':focus')]);
      const open = all('details[open]', box).map((details) => details.dataset.what);
      box.replaceChildren(...piece.childNodes);
      all('details', box).forEach((details) => { if (open.includes(details.dataset.what)) details.open = true; });
      for (const [action, name, value, focus] of kept) {
        const field = all(`[name="${name}"]`, box).find((field) => field.form?.getAttribute('action') === action);
        if (!field) continue;
        field.value = value;
        if (focus) field.focus();
      }
    }
  };
  const refresh = async (revision) => {
    const answer = await fetch(`/c/${chat}/panel?rev=${revision}`);
    if (answer.ok) put(await answer.text());
  };
  let reading = 0;
  const read = () => {
    clearTimeout(reading);
    reading = setTimeout(() => {
      const form = new URLSearchParams({ command: crypto.randomUUID?.() ?? String(Math.random()) });
      fetch(`/c/${chat}/read`, { method: 'POST', body: form, headers: { Accept: 'application/json' } });
    }, 700);
  };

  // ------------------------------------------------------------------ acting
  const fresh = (form) => { const field = form.elements.command; if (field) field.value = Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, '0')).join(''); };
  const refuse = (form, words) => {
    let box = $('.refusal', form);
    if (!box) { box = Object.assign(document.createElement('output'), { className: 'refusal' }); box.setAttribute('role', 'alert'); form.append(box); }
    box.textContent = words;
  };
  const act = async (form, button) => {
    if (form.getAttribute('aria-busy') === 'true') return;
    const body = new URLSearchParams(new FormData(form, button));
    const to = button?.getAttribute('formaction') || form.getAttribute('action');
    refuse(form, '');
    form.setAttribute('aria-busy', 'true');
    const words = form.elements.text;
    const said = words?.value;
    const note = to.endsWith('/note');
    const file = form.elements.file?.value ? $('#attached span').textContent : '';
    let row;
    if (rows && (said || file || form.dataset.pending)) {
      row = said || file ? pend(said || file, note ? 'note' : '', form.dataset.name) : pend(form.dataset.pending, 'stamp');
    }
    if (words) { words.value = ''; answering(''); }
    let words_ = '';
    try {
      const answer = await fetch(to, { method: 'POST', body, headers: { Accept: 'application/json' } });
      const told = await answer.json().catch(() => ({ error: t('The console did not answer as it should: load the page again.') }));
      if (answer.ok) {
        // The next may be sent while the panel is drawn anew.
        form.removeAttribute('aria-busy');
        fresh(form);
        if (file) attached();
        form.querySelectorAll('[data-touched]').forEach((field) => { delete field.dataset.touched; if (field.type !== 'hidden') field.value = ''; });
        if (row) {
          row.dataset.revision = told.revision;
          if (newest >= told.revision || document.querySelector(`[id^="e${told.revision}-"]`)) row.remove();
          else setTimeout(() => row.remove(), 6000);
        }
        if (chat) await refresh(told.revision);
        if (told.go) location.assign(told.go);
        return;
      }
      words_ = told.error;
    } catch {
      // The same command id goes with the next try, so it is done once however often it is sent.
      words_ = t('The console does not answer. Try again: it will be done once.');
    } finally {
      form.removeAttribute('aria-busy');
    }
    row?.remove();
    if (words && !words.value) words.value = said;
    refuse(form, words_);
  };
  // A file is handed over as soon as it is chosen, and goes with the words.
  const attached = (told = {}, name = '') => {
    const box = $('#attached');
    if (!box) return;
    const fields = $('#write').elements;
    [fields.file.value, fields.file_kind.value, fields.file_type.value, fields.file_name.value] = [told.id ?? '', told.kind ?? '', told.mime ?? '', told.id ? name : ''];
    $('span', box).textContent = name;
    box.hidden = !name;
    $('#words').required = !told.id;
  };
  const attach = async (input) => {
    const [file] = input.files;
    if (!file) return;
    const form = $('#write');
    refuse(form, '');
    attached({}, `${file.name}, ${bytes(file.size)} …`);
    form.setAttribute('aria-busy', 'true');
    try {
      const answer = await fetch(`${input.dataset.to}?name=${encodeURIComponent(file.name)}`, { method: 'POST', body: file, headers: { 'Content-Type': file.type || 'application/octet-stream' } });
      const told = answer.status === 413 ? { error: t('The file is too large: 15 MB are taken.') } : await answer.json();
      attached(told, told.id ? `${file.name}` : '');
      if (told.error) refuse(form, told.error);
    } catch {
      attached();
      refuse(form, t('The console does not answer, so the file was not taken. Choose it again.'));
    } finally {
      form.removeAttribute('aria-busy');
      input.value = '';
    }
  };
  document.addEventListener('change', (event) => { if (event.target.matches('#attach input')) attach(event.target); });
  const answering = (id, words = '') => {
    const box = $('#answering');
    if (!box) return;
    box.hidden = !id;
    $('input', box).value = id;
    $('span', box).textContent = words;
  };
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (!form.matches('[data-act]')) return;
    event.preventDefault();
    act(form, event.submitter);
  });
  document.addEventListener('input', (event) => { if (event.target.form?.matches('[data-act]')) event.target.dataset.touched = '1'; });
  document.addEventListener('click', (event) => {
    const to = (selector) => event.target.closest?.(selector);
    const jumps = to('[data-jump]');
    if (jumps && rows && jump(jumps.dataset.jump)) event.preventDefault();
    const answer = to('[data-reply]');
    if (answer) {
      answering(answer.dataset.reply, $('.text', answer.closest('.bubble'))?.textContent.slice(0, 80) ?? t('a message'));
      $('#words')?.focus();
    }
    if (to('[data-forget]')) answering('');
    if (to('[data-detach]')) attached();
    const quote = to('.quote');
    const said = quote && byMessage(quote.dataset.q);
    if (said) { said.scrollIntoView({ block: 'center' }); flash(said); }
    if (to('[data-close]')) to('dialog')?.close();
    if (to('[data-help]')) help();
  });
  // Pointing at a bracket tells about its ticket, and lights it up as a whole.
  document.addEventListener('mouseover', (event) => {
    const about = event.target.closest?.('[data-t]');
    all('.lit').forEach((lit) => lit.classList.remove('lit'));
    if (!about) return;
    all(`[data-t="${about.dataset.t}"]`).forEach((each) => each.classList.add('lit'));
    if (about.tagName === 'I') about.title = $(`.card[data-t="${about.dataset.t}"]`)?.dataset.about ?? '';
  });

  if (scroll) {
    scroll.addEventListener('scroll', near, { passive: true });
    const wanted = /^#t(\d+)$/.exec(location.hash);
    if (!(wanted && jump(wanted[1])) && !scroll.dataset.newer) toEnd();
    fillQuotes();
    watchFiles(rows);
    $('#attach').hidden = false;
    near();
    whileSeen(follow, () => source?.close());
    setInterval(() => leave(), 20000);
    if ("unread" in scroll.dataset && visible()) read();
    addEventListener('resize', near);
  }

  // ------------------------------------------------------------------ the inbox
  const list = $('#chats');
  const views = $('#views');
  if (list) {
    let busy = false;
    let again = false;
    const renew = async () => {
      if (busy) { again = true; return; }
      busy = true;
      try {
        const answer = await fetch(`/inbox/list${list.dataset.query}`);
        if (answer.ok) {
          const focus = document.activeElement?.closest?.('#chats a')?.getAttribute('href');
          const top = list.scrollTop;
          put(await answer.text());
          list.scrollTop = top;
          if (focus) $(`#chats a[href="${CSS.escape(focus)}"]`)?.focus();
          current();
        }
        await pause(1200);
      } catch { await pause(2000); } finally { busy = false; }
      if (again) { again = false; renew(); }
    };
    const current = () => { if (chat) $(`#chats a[data-chat="${CSS.escape(chat)}"]`)?.setAttribute('aria-current', 'page'); };
    let changes;
    const listen = () => {
      changes?.close();
      if (!visible()) return;
      changes = new EventSource('/inbox/live');
      changes.addEventListener('changed', renew);
      changes.onerror = () => { if (changes.readyState === EventSource.CLOSED) setTimeout(listen, 2000); };
    };
    let seen = false;
    whileSeen(() => { listen(); if (seen) renew(); seen = true; }, () => changes?.close());
    current();
  }

  // ------------------------------------------------------------------ keys
  const help = () => $('#help')?.showModal();
  const step = (way) => {
    const links = all('#chats a');
    const at = links.indexOf(document.activeElement);
    const from = at >= 0 ? at : links.findIndex((link) => link.hasAttribute('aria-current'));
    links[Math.min(links.length - 1, Math.max(0, from + way))]?.focus();
  };
  const press = (selector) => { const it = $(selector); if (it) { it.focus(); it.click(); } };
  const keys = {
    j: () => step(1), k: () => step(-1), '/': () => $('#find')?.focus(), '?': help,
    r: () => $('#words')?.focus(), c: () => press('#close'), o: () => $('#topic')?.focus(), m: () => press('#mine'), n: () => press('#note'),
    g: () => { if (scroll) { scroll.dataset.newer ? location.assign(`/c/${chat}`) : toEnd(); } }, u: () => location.assign('/inbox'),
  };
  for (let n = 1; n <= 9; n += 1) keys[n] = () => { const tab = all('#views a')[n - 1]; if (tab) location.assign(tab.href); };
  document.addEventListener('keydown', (event) => {
    if (event.target.matches('input, textarea, select')) {
      if (event.key === 'Escape') event.target.blur();
      if (event.key === 'Enter' && event.target.id === 'words' && !event.shiftKey && !event.isComposing) { event.preventDefault(); event.target.form.requestSubmit($('#send')); }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = keys[event.key];
    if (key) { event.preventDefault(); key(); }
  });

  // ------------------------------------------------------------------ backtests
  const draft = $('#draft');
  draft?.addEventListener('submit', async (event) => {
    if (event.submitter?.value !== 'backtest') return;
    event.preventDefault();
    const out = $('#report');
    const bar = $('#progress');
    bar.hidden = false;
    bar.removeAttribute('value');
    out.replaceChildren();
    try {
      const answer = await fetch('/rules/backtest', { method: 'POST', body: new URLSearchParams(new FormData(draft, event.submitter)), headers: { Accept: 'application/x-ndjson' } });
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = '';
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        const lines = (rest + value).split('\n');
        rest = lines.pop();
        for (const line of lines.filter(Boolean)) {
          const told = JSON.parse(line);
          if (told.html) out.replaceChildren(pieces(told.html)); else { bar.max = told.total || 1; bar.value = told.done; }
        }
      }
    } catch { out.textContent = t('The connection was lost. Nothing was changed: try again.'); }
    bar.hidden = true;
  });
})();
