import type { ComponentChildren } from 'preact';

import { announce } from '../frame/announce';
import { Dialog } from '../frame/dialog';
import { ErrorNotice, useAction } from '../frame/parts';
import { confirmed } from './passkey';

interface Props {
  title: string;
  button: string;
  isDangerous?: boolean;
  /** What is sent, and where; by POST, if nothing else is said. */
  request: () => { method?: string; path: string; body: string };
  said: string;
  isReady?: boolean;
  onClose: () => void;
  onDone: () => void;
  children: ComponentChildren;
}

/** A window that says what will happen, and does it with the passkey's word. */
export function ActionDialog({ title, button, isDangerous = false, request, said, isReady = true, onClose, onDone, children }: Props) {
  const act = useAction(async (signal) => {
    const { method = 'POST', path, body } = request();
    await confirmed(method, path, body, signal);
    announce(said);
    onClose();
    onDone();
  });
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          act.run();
        }}
      >
        {children}
        {act.error && !act.isBusy && <ErrorNotice error={act.error} />}
        <p class="buttons">
          <button type="submit" class={`button ${isDangerous ? 'button-danger' : 'button-main'}`} disabled={act.isBusy || !isReady}>
            {act.isBusy ? 'Waiting for the passkey…' : button}
          </button>
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
        </p>
      </form>
    </Dialog>
  );
}
