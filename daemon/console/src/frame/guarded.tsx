import { Component, type ComponentChildren } from 'preact';

import { ErrorNotice, Title } from './parts';

interface State {
  error?: Error;
}

/** Keeps an answer that no page expects from emptying the window: the frame stays, and says that this page failed. */
export class Guarded extends Component<{ children: ComponentChildren }, State> {
  override state: State = {};

  static getDerivedStateFromError(error: unknown): State {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  render() {
    if (this.state.error === undefined) return this.props.children;
    return (
      <>
        <Title text="This page failed" />
        <ErrorNotice error={this.state.error} retry={() => this.setState({}, () => location.reload())} />
      </>
    );
  }
}
