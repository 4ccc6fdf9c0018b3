// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

/**
 * Knows whose code runs in a stack of services that call each other, and in whose an exception
 * arose. An interposer that passes on an exception unchanged is not to blame for it.
 */
final class Blame {
  /** A call into a service. */
  @FunctionalInterface
  interface Call<T, E extends Exception> {
    T call() throws E;
  }

  /** Written by the slot's thread, read by the one that replaces it if it hangs. */
  private volatile HalService running;

  private Throwable thrown;
  private HalService culprit;

  /** Calls into a service, on the slot's thread. */
  <T, E extends Exception> T in(HalService callee, Call<T, E> call) throws E {
    HalService caller = running;
    running = callee;
    try {
      return call.call();
      // whatever it is, it goes on as it is; here it is only noted where it came from
    } catch (Throwable e) {
      if (thrown != e) {
        thrown = e;
        culprit = callee;
      }
      throw e;
    } finally {
      running = caller;
    }
  }

  /** As {@link #in}, for what returns nothing. */
  void run(HalService callee, Runnable call) {
    in(
        callee,
        () -> {
          call.run();
          return null;
        });
  }

  /** In whose code an exception arose that has come through; the other one if that is not known. */
  HalService of(Throwable exception, HalService otherwise) {
    return exception == thrown ? culprit : otherwise;
  }

  /** Whose code runs now, for ever perhaps; the other one if that is not known. */
  HalService running(HalService otherwise) {
    HalService now = running;
    return now == null ? otherwise : now;
  }
}
