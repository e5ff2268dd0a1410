import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { OnlineMember } from "../console-events.js";
import type { Desk } from "./desk.js";
import { areKeysOn, setKeysOn } from "./keyboard.js";
import type { Labels } from "./labels.js";
import { coordinatorName } from "./names.js";
import type { Times } from "./times.js";

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly closeLabel: string;
  readonly children: ComponentChildren;
}

/** Over everything else: the browser keeps the focus in it, closes it with Escape, and gives the focus back. */
function Dialog({ title, onClose, closeLabel, children }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const dialog = box.current!;
    dialog.showModal();
    // One that is only taken away gives no focus back.
    return () => dialog.close();
  }, []);
  return (
    <dialog
      ref={box}
      aria-label={title}
      onClose={onClose}
      onClick={(event) => event.target === box.current && box.current?.close()}
    >
      <div class="dialog">
        <header>
          <h2>{title}</h2>
          <button type="button" class="icon" aria-label={closeLabel} onClick={() => box.current?.close()}>
            <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
              <path d="m4 4 8 8m0-8-8 8" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" />
            </svg>
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

export function ShortcutsDialog({ labels, onClose }: { readonly labels: Labels; readonly onClose: () => void }) {
  const [areOn, setOn] = useState(areKeysOn);
  const { keys } = labels;
  const rows: readonly (readonly [readonly string[], string])[] = [
    [["j", "↓"], keys.next],
    [["k", "↑"], keys.previous],
    [["u"], keys.waiting],
    [["/"], keys.search],
    [["1", "…", "5"], keys.filter],
    [["r"], keys.reply],
    [["n"], keys.note],
    [["t"], keys.hold],
    [["e"], keys.resolve],
    [["b"], keys.block],
    [["s"], keys.figures],
    [["Esc"], keys.leave],
    [["?"], keys.help],
  ];
  return (
    <Dialog title={labels.shortcuts} onClose={onClose} closeLabel={labels.close}>
      <dl class="keys">
        {rows.map(([names, what]) => (
          <div key={what}>
            <dt>
              {names.map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label class="switch">
        <input
          type="checkbox"
          checked={areOn}
          onChange={({ currentTarget: { checked } }) => {
            setKeysOn(checked);
            setOn(checked);
          }}
        />
        {labels.shortcutsOn}
      </label>
    </Dialog>
  );
}

interface BlockProps {
  readonly name: string;
  readonly labels: Labels;
  readonly onBlock: () => void;
  readonly onClose: () => void;
}

export function BlockDialog({ name, labels, onBlock, onClose }: BlockProps) {
  return (
    <Dialog title={labels.blockTitle(name)} onClose={onClose} closeLabel={labels.close}>
      <p>{labels.blockText}</p>
      <div class="choices">
        <button type="button" class="plain" onClick={onClose}>
          {labels.cancel}
        </button>
        <button
          type="button"
          class="danger"
          onClick={() => {
            onBlock();
            onClose();
          }}
        >
          {labels.block}
        </button>
      </div>
    </Dialog>
  );
}

interface OnlineProps {
  readonly desk: Desk;
  readonly labels: Labels;
  readonly times: Times;
  readonly onClose: () => void;
}

export function OnlineDialog({ desk, labels, times, onClose }: OnlineProps) {
  const colleagues = desk.online.filter(isCoordinator);
  const customers = desk.online.filter(({ role }) => role === "user").length;
  const title = desk.lostAt === null ? labels.whoIsOnline : labels.wereOnline(times.clock(desk.lostAt));
  return (
    <Dialog title={title} onClose={onClose} closeLabel={labels.close}>
      <h3>{labels.coordinators}</h3>
      <ul class="people">
        {colleagues.map(({ key, onlineAt }) => (
          <li key={key}>
            <span class={desk.isOnline ? "here" : "here gone"} />
            <bdi class="cut">{coordinatorName(desk, key.slice("coordinator:".length), labels)}</bdi>
            <time dateTime={onlineAt}>{times.clock(onlineAt)}</time>
          </li>
        ))}
      </ul>
      <p class="quiet">{desk.lostAt === null ? labels.customersOnline(customers) : labels.customersThen(customers)}</p>
    </Dialog>
  );
}

function isCoordinator({ key }: OnlineMember): boolean {
  return key.startsWith("coordinator:");
}
