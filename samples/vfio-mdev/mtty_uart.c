// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device model of mtty: a 16550A serial port as every PC driver knows it.
 *
 * In its socket is a loopback plug: what is sent is received, RTS is wired to
 * CTS, and DTR to DSR and DCD. Time does not exist: a byte has arrived as soon as
 * it was sent, and the receiver's timeout, after which it tells of bytes that
 * do not reach the trigger level, is over at once.
 *
 * This file knows nothing of VFIO. Registers come in, interrupts go out, and
 * everything that must survive a migration is in struct uart.
 */
#include <linux/bits.h>
#include <linux/serial_reg.h>
#include <linux/string.h>

#include "mtty.h"

#define IER_BITS	(UART_IER_RDI | UART_IER_THRI | UART_IER_RLSI | UART_IER_MSI)
#define FCR_BITS	(UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_MASK)
#define MCR_BITS	(UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT1 | \
			 UART_MCR_OUT2 | UART_MCR_LOOP)
#define TRIGGER_SHIFT	6

void uart_reset(struct uart *uart)
{
	memset(uart, 0, sizeof(*uart));
	/* 9600 baud, as firmware would have left it. */
	uart->divisor[0] = 12;
	uart->wants_data = true;
}

static bool has_fifo(const struct uart *uart)
{
	return uart->fcr & UART_FCR_ENABLE_FIFO;
}

static unsigned int capacity(const struct uart *uart)
{
	return has_fifo(uart) ? UART_FIFO_SIZE : 1;
}

/* --- The wire ------------------------------------------------------------------ */

static void receive(struct uart *uart, u8 byte)
{
	if (uart->count < capacity(uart)) {
		uart->fifo[uart->count++] = byte;
		return;
	}
	uart->has_overrun = true;
	/* Without a FIFO the new byte is the one that is kept. */
	if (!has_fifo(uart))
		uart->fifo[0] = byte;
}

static u8 take_received(struct uart *uart)
{
	u8 byte = uart->fifo[0];

	if (!uart->count)
		return 0;
	uart->count--;
	memmove(uart->fifo, uart->fifo + 1, uart->count);
	/* Nothing behind the count: equal ports have equal bytes. */
	uart->fifo[uart->count] = 0;
	return byte;
}

static void send(struct uart *uart, u8 byte)
{
	static const u8 word_mask[] = { 0x1f, 0x3f, 0x7f, 0xff };

	receive(uart, byte & word_mask[uart->lcr & UART_LCR_WLEN8]);
	uart->wants_data = true;
}

/* The modem's inputs, by what the outputs are and where they are wired to. */
static u8 modem_inputs(const struct uart *uart)
{
	u8 mcr = uart->mcr, inputs = 0;

	if (mcr & UART_MCR_RTS)
		inputs |= UART_MSR_CTS;
	if (mcr & UART_MCR_DTR)
		inputs |= UART_MSR_DSR;

	if (mcr & UART_MCR_LOOP) {
		/* Inside of the chip. */
		if (mcr & UART_MCR_OUT1)
			inputs |= UART_MSR_RI;
		if (mcr & UART_MCR_OUT2)
			inputs |= UART_MSR_DCD;
	} else if (mcr & UART_MCR_DTR) {
		/* By the plug. */
		inputs |= UART_MSR_DCD;
	}
	return inputs;
}

static void set_modem_outputs(struct uart *uart, u8 mcr)
{
	u8 before = modem_inputs(uart), changed;

	uart->mcr = mcr & MCR_BITS;
	changed = before ^ modem_inputs(uart);
	/* Ringing is told when it ends only. */
	if (!(before & UART_MSR_RI))
		changed &= ~UART_MSR_RI;
	uart->deltas |= changed >> 4;
}

/* --- Registers ------------------------------------------------------------------ */

static u8 line_status(const struct uart *uart)
{
	u8 lsr = UART_LSR_THRE | UART_LSR_TEMT;

	if (uart->count)
		lsr |= UART_LSR_DR;
	if (uart->has_overrun)
		lsr |= UART_LSR_OE;
	return lsr;
}

static bool reached_trigger(const struct uart *uart)
{
	static const u8 levels[] = { 1, 4, 8, 14 };

	if (!has_fifo(uart))
		return uart->count;
	return uart->count >= levels[uart->fcr >> TRIGGER_SHIFT];
}

/* The interrupt to be served first, as the identification register tells it. */
static u8 interrupt_id(const struct uart *uart)
{
	if ((uart->ier & UART_IER_RLSI) && uart->has_overrun)
		return UART_IIR_RLSI;
	if ((uart->ier & UART_IER_RDI) && uart->count)
		return reached_trigger(uart) ? UART_IIR_RDI :
					       UART_IIR_RX_TIMEOUT;
	if ((uart->ier & UART_IER_THRI) && uart->wants_data)
		return UART_IIR_THRI;
	if ((uart->ier & UART_IER_MSI) && uart->deltas)
		return UART_IIR_MSI;
	return UART_IIR_NO_INT;
}

bool uart_is_asserting(const struct uart *uart)
{
	return interrupt_id(uart) != UART_IIR_NO_INT;
}

static u8 read_interrupt_id(struct uart *uart)
{
	u8 id = interrupt_id(uart);

	/* To have told that data is wanted is to have served it. */
	if (id == UART_IIR_THRI)
		uart->wants_data = false;
	return has_fifo(uart) ? id | UART_IIR_FIFO_ENABLED_16550A : id;
}

static u8 read_line_status(struct uart *uart)
{
	u8 lsr = line_status(uart);

	uart->has_overrun = false;
	return lsr;
}

static u8 read_modem_status(struct uart *uart)
{
	u8 msr = modem_inputs(uart) | uart->deltas;

	uart->deltas = 0;
	return msr;
}

static void write_interrupt_enable(struct uart *uart, u8 value)
{
	/* Enabling is asking: the transmitter is always empty. */
	if ((value & UART_IER_THRI) && !(uart->ier & UART_IER_THRI))
		uart->wants_data = true;
	uart->ier = value & IER_BITS;
}

static void write_fifo_control(struct uart *uart, u8 value)
{
	bool is_switched = (uart->fcr ^ value) & UART_FCR_ENABLE_FIFO;

	if (is_switched || (value & UART_FCR_CLEAR_RCVR)) {
		memset(uart->fifo, 0, sizeof(uart->fifo));
		uart->count = 0;
	}
	/* Other bits count only together with this one. */
	uart->fcr = value & UART_FCR_ENABLE_FIFO ? value & FCR_BITS : 0;
}

/* Two registers have another one behind them, the divisor of the baud rate. */
static bool is_divisor(const struct uart *uart, unsigned int reg)
{
	return (uart->lcr & UART_LCR_DLAB) && reg <= UART_DLM;
}

u8 uart_read(struct uart *uart, unsigned int reg)
{
	if (is_divisor(uart, reg))
		return uart->divisor[reg];

	switch (reg) {
	case UART_RX:
		return take_received(uart);
	case UART_IER:
		return uart->ier;
	case UART_IIR:
		return read_interrupt_id(uart);
	case UART_LCR:
		return uart->lcr;
	case UART_MCR:
		return uart->mcr;
	case UART_LSR:
		return read_line_status(uart);
	case UART_MSR:
		return read_modem_status(uart);
	case UART_SCR:
		return uart->scr;
	default:
		return 0xff;
	}
}

void uart_write(struct uart *uart, unsigned int reg, u8 value)
{
	if (is_divisor(uart, reg)) {
		uart->divisor[reg] = value;
		return;
	}

	switch (reg) {
	case UART_TX:
		send(uart, value);
		break;
	case UART_IER:
		write_interrupt_enable(uart, value);
		break;
	case UART_FCR:
		write_fifo_control(uart, value);
		break;
	case UART_LCR:
		uart->lcr = value;
		break;
	case UART_MCR:
		set_modem_outputs(uart, value);
		break;
	case UART_SCR:
		uart->scr = value;
		break;
	}
}

/* Could a port be like this? Asked of state that comes from strangers. */
bool uart_is_valid(const struct uart *uart)
{
	unsigned int i;

	if (uart->ier & ~IER_BITS || uart->mcr & ~MCR_BITS ||
	    uart->fcr & ~FCR_BITS || uart->deltas & ~UART_MSR_ANY_DELTA)
		return false;
	if (uart->fcr && !has_fifo(uart))
		return false;
	if (uart->has_overrun > 1 || uart->wants_data > 1)
		return false;
	if (uart->count > capacity(uart))
		return false;
	for (i = uart->count; i < UART_FIFO_SIZE; i++)
		if (uart->fifo[i])
			return false;
	return true;
}
