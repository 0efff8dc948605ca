/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the mtty sample know of each other. */
#ifndef MTTY_H
#define MTTY_H

#include "sample.h"

struct sample_format;
struct sample_stream;

/* --- mtty_uart.c: a 16550A --------------------------------------------------- */

#define UART_FIFO_SIZE	16
#define UART_REGISTERS	8

/**
 * struct uart - A 16550A with a loopback plug in its socket
 * @ier: interrupt enable
 * @fcr: FIFO control, as far as it lasts
 * @lcr: line control
 * @mcr: modem control
 * @scr: scratch
 * @divisor: of the baud rate: low and high byte
 * @deltas: modem inputs that changed since the modem status was read
 * @has_overrun: a byte was lost since the line status was read
 * @wants_data: "transmitter empty" has become true and was not told yet
 * @count: bytes received and not read
 * @fifo: these bytes, the oldest first
 */
struct uart {
	u8 ier;
	u8 fcr;
	u8 lcr;
	u8 mcr;
	u8 scr;
	u8 divisor[2];
	u8 deltas;
	u8 has_overrun;
	u8 wants_data;
	u8 count;
	u8 fifo[UART_FIFO_SIZE];
};

void uart_reset(struct uart *uart);
u8 uart_read(struct uart *uart, unsigned int reg);
void uart_write(struct uart *uart, unsigned int reg, u8 value);
bool uart_is_asserting(const struct uart *uart);
bool uart_is_valid(const struct uart *uart);

/* --- mtty_main.c: the card ---------------------------------------------------- */

#define MTTY_MAX_PORTS	2

/**
 * struct mtty - A serial card
 * @pci: its PCI side; its lock guards all below
 * @ports: number of ports, fixed
 * @uarts: the ports
 * @mig_state: where the card is in a migration
 * @stream: data session of @mig_state, or NULL
 * @is_logging: whether a user has DMA logging started
 */
struct mtty {
	struct sample_pci pci;
	unsigned int ports;
	struct uart uarts[MTTY_MAX_PORTS];
	enum vfio_device_mig_state mig_state;
	struct sample_stream *stream;
	bool is_logging;
};

static inline struct mtty *to_mtty(struct sample_pci *pci)
{
	return container_of(pci, struct mtty, pci);
}

/* --- mtty_migration.c ---------------------------------------------------------- */

extern const struct sample_format mtty_format;

void mtty_migration_init(struct mtty *mtty);
void mtty_migration_reset(struct mtty *mtty);
void mtty_migration_close(struct mtty *mtty);
void mtty_migration_changed(struct mtty *mtty);

#endif /* MTTY_H */
