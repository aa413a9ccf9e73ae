/* Telling the service manager how the daemon is, where one has asked for it by NOTIFY_SOCKET in the environment (systemd's
 * Type=notify); elsewhere nothing happens. What can't be told is logged. */
#ifndef NOTIFY_H
#define NOTIFY_H

/* The socket answers. */
void notify_ready(void);

/* A reload begins. */
void notify_reloading(void);

/* It is over, whatever came of it. Nothing is told if none had begun. */
void notify_reloaded(void);

/* The daemon is about to end. */
void notify_stopping(void);

#endif
