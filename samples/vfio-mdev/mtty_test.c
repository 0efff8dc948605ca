// SPDX-License-Identifier: GPL-2.0-only
/* The serial port of mtty: what its drivers rely on, and any state at all. */
#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/serial_reg.h>

#include "mtty.h"
#include "stream.h"

#define ROUNDS	20000

static void bytes_come_back_in_order(struct kunit *test)
{
	struct uart uart;
	int i;

	uart_reset(&uart);
	uart_write(&uart, UART_LCR, UART_LCR_WLEN8);
	uart_write(&uart, UART_FCR, UART_FCR_ENABLE_FIFO);
	for (i = 0; i < UART_FIFO_SIZE; i++)
		uart_write(&uart, UART_TX, 0xf0 + i);
	KUNIT_EXPECT_EQ(test, 0, uart_read(&uart, UART_LSR) & UART_LSR_OE);
	uart_write(&uart, UART_TX, 0x11);
	KUNIT_EXPECT_NE(test, 0, uart_read(&uart, UART_LSR) & UART_LSR_OE);
	KUNIT_EXPECT_EQ(test, 0, uart_read(&uart, UART_LSR) & UART_LSR_OE);
	for (i = 0; i < UART_FIFO_SIZE; i++)
		KUNIT_EXPECT_EQ(test, 0xf0 + i, uart_read(&uart, UART_RX));
	KUNIT_EXPECT_EQ(test, 0, uart_read(&uart, UART_LSR) & UART_LSR_DR);
}

/* S01: a byte is 0 to 255 in every register. */
static void every_value_in_every_register(struct kunit *test)
{
	struct uart uart;
	int reg, value;

	uart_reset(&uart);
	for (value = 0; value < 256; value++) {
		for (reg = 0; reg < UART_REGISTERS; reg++) {
			uart_write(&uart, reg, value);
			KUNIT_EXPECT_TRUE(test, uart_is_valid(&uart));
		}
		KUNIT_EXPECT_EQ(test, value, uart_read(&uart, UART_SCR));
		for (reg = 0; reg < UART_REGISTERS; reg++)
			uart_read(&uart, reg);
		KUNIT_EXPECT_TRUE(test, uart_is_valid(&uart));
	}
}

static void interrupts_come_by_rank(struct kunit *test)
{
	struct uart uart;

	uart_reset(&uart);
	KUNIT_EXPECT_FALSE(test, uart_is_asserting(&uart));
	uart_write(&uart, UART_LCR, UART_LCR_WLEN8);
	uart_write(&uart, UART_IER, UART_IER_RDI | UART_IER_THRI |
		   UART_IER_RLSI | UART_IER_MSI);
	uart_write(&uart, UART_TX, 1);
	uart_write(&uart, UART_TX, 2);
	uart_write(&uart, UART_MCR, UART_MCR_RTS);

	KUNIT_EXPECT_EQ(test, UART_IIR_RLSI, uart_read(&uart, UART_IIR));
	uart_read(&uart, UART_LSR);
	KUNIT_EXPECT_EQ(test, UART_IIR_RDI, uart_read(&uart, UART_IIR));
	KUNIT_EXPECT_EQ(test, 2, uart_read(&uart, UART_RX));
	KUNIT_EXPECT_EQ(test, UART_IIR_THRI, uart_read(&uart, UART_IIR));
	KUNIT_EXPECT_EQ(test, UART_IIR_MSI, uart_read(&uart, UART_IIR));
	KUNIT_EXPECT_EQ(test, UART_MSR_CTS | UART_MSR_DCTS,
			uart_read(&uart, UART_MSR));
	KUNIT_EXPECT_EQ(test, UART_IIR_NO_INT, uart_read(&uart, UART_IIR));
	KUNIT_EXPECT_FALSE(test, uart_is_asserting(&uart));
}

/* Whatever is let in by uart_is_valid() can be used, for as long as one likes. */
static void any_state_is_refused_or_harmless(struct kunit *test)
{
	struct rnd_state rnd;
	struct uart *uart;
	int i, n, valid = 0;
	u32 r;

	/* Of its own, for KASAN to see what is read around it. */
	uart = kunit_kzalloc(test, sizeof(*uart), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, uart);
	prandom_seed_state(&rnd, 16550);
	for (i = 0; i < ROUNDS; i++) {
		if (i % 2) {
			prandom_bytes_state(&rnd, uart, sizeof(*uart));
		} else {
			uart_reset(uart);
			r = prandom_u32_state(&rnd);
			((u8 *)uart)[r % sizeof(*uart)] = r >> 24;
			((u8 *)uart)[(r >> 8) % sizeof(*uart)] = r >> 16;
		}
		if (!uart_is_valid(uart))
			continue;
		valid++;
		for (n = 0; n < 40; n++) {
			r = prandom_u32_state(&rnd);
			if (r & BIT(31))
				uart_write(uart, r % UART_REGISTERS, r >> 8);
			else
				uart_read(uart, r % UART_REGISTERS);
			uart_is_asserting(uart);
		}
		KUNIT_EXPECT_TRUE(test, uart_is_valid(uart));
	}
	KUNIT_EXPECT_GT(test, valid, ROUNDS / 200);
}

/* A card of one port is not told of a second one. */
static void a_state_is_for_its_ports(struct kunit *test)
{
	size_t at = mtty_format.size - sizeof(struct uart);
	u8 *state = kunit_kzalloc(test, mtty_format.size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, state);
	KUNIT_EXPECT_TRUE(test, mtty_format.is_valid(state, 1));
	KUNIT_EXPECT_TRUE(test, mtty_format.is_valid(state, 2));
	uart_reset((struct uart *)(state + at));
	KUNIT_EXPECT_FALSE(test, mtty_format.is_valid(state, 1));
	KUNIT_EXPECT_TRUE(test, mtty_format.is_valid(state, 2));
}

static struct kunit_case mtty_cases[] = {
	KUNIT_CASE(bytes_come_back_in_order),
	KUNIT_CASE(every_value_in_every_register),
	KUNIT_CASE(interrupts_come_by_rank),
	KUNIT_CASE(any_state_is_refused_or_harmless),
	KUNIT_CASE(a_state_is_for_its_ports),
	{}
};

static struct kunit_suite mtty_suite = {
	.name = "vfio_sample_mtty",
	.test_cases = mtty_cases,
};

kunit_test_suites(&mtty_suite);
