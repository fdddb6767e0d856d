#!/usr/bin/env bash
# Runs the tests of the engine for AVX-512 IFMA on a processor that Bochs emulates: see "On an emulated processor" in
# ../README.md.
#
#     native/emulate/ifma.sh [DIRECTORY]      what is built and told goes there; by default native/target/emulate
#
# It needs Rust, and Debian 12 on x86-64 with what PACKAGES names. TPSI_NATIVE_INPUTS is the number of inputs of each
# operation, by default 2000. It ends with 0 if the processor told that it has IFMA and every test passed.
set -euo pipefail

PACKAGES=(bochs bochs-term genisoimage isolinux syslinux-common busybox-static)
# The first processor with IFMA, a Core i3-8121U.
MODEL=corei3_cnl
INPUTS=${TPSI_NATIVE_INPUTS:-2000}
# What runs on the lanes of the processor. The models are not tried again.
TESTS=(lanes::tests::ifma limbs_in_the_vectors every_engine_that_is_found solved_alike_by_all_engines
    is_not_solved_with_a_cell)
# Bochs 2.7 tells Linux the sizes of these features' registers wrongly, and Linux would leave all vectors off.
WITHOUT=pku,xsavec,xsaves

cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p "${1:-target/emulate}"
work=$(realpath "${1:-target/emulate}")

missing=$(for package in "${PACKAGES[@]}"; do dpkg -s "$package" > "$work/dpkg.txt" 2>&1 || echo -n " $package"; done)
[ -z "$missing" ] || { echo "missing: apt-get install --no-install-recommends$missing" >&2; exit 2; }

# The tests as one file that needs no library. dalek, what they compare with, is kept to plain 64-bit instructions: it
# shares none with the lanes that the emulator could get wrong for both.
build_tests() {
    RUSTFLAGS='-C target-feature=+crt-static --cfg curve25519_dalek_backend="serial"' cargo test --release --lib \
        --no-run --target x86_64-unknown-linux-gnu --target-dir "$work/cargo" 2>&1 | tee "$work/cargo.txt"
    cp "$(sed -n 's/.*Executable.*(\(.*\))$/\1/p' "$work/cargo.txt")" "$1"
}

# Debian's kernel for virtual machines, unpacked and not installed.
fetch_kernel() {
    local package
    package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-[^ ]*\)$/\1/p')
    (cd "$work" && apt-get download "$package")
    dpkg -x "$work/$package"_*.deb "$work/kernel"
    cp "$work"/kernel/boot/vmlinuz-* "$1"
}

# The one process of the machine: it tells the processor and the tests' results on the serial line, and turns off.
write_init() {
    cat > "$1" << END
#!/busybox sh
/busybox mount -t proc proc /proc
/busybox grep -m1 'model name' /proc/cpuinfo
/busybox grep -m1 -q -w avx512ifma /proc/cpuinfo && echo "the processor has avx512ifma"
TPSI_NATIVE_INPUTS=$INPUTS RUST_BACKTRACE=0 /tests --test-threads=1 ${TESTS[*]} && echo "every test passed"
/busybox sleep 1
/busybox poweroff -f
END
    chmod +x "$1"
}

make_disc() {
    rm -rf "$work/root" "$work/disc" "$work/kernel" "$work"/*.deb
    mkdir -p "$work/root/proc" "$work/disc"
    build_tests "$work/root/tests"
    fetch_kernel "$work/disc/linux"
    write_init "$work/root/init"
    cp /bin/busybox "$work/root/busybox"
    (cd "$work/root" && find . | /bin/busybox cpio -o -H newc | gzip -1) > "$work/disc/initrd"
    cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$work/disc"
    printf '%s\n' 'default tests' 'label tests' 'kernel linux' \
        "append initrd=initrd console=ttyS0 quiet clearcpuid=$WITHOUT" > "$work/disc/isolinux.cfg"
    genisoimage -quiet -o "$work/disc.iso" -b isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 \
        -boot-info-table "$work/disc"
}

run_bochs() {
    local bochs screen
    cat > "$work/bochsrc" << END
display_library: term
plugin_ctrl: speaker=0
cpu: model=$MODEL, ips=50000000
memory: guest=256, host=256
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
ata0-master: type=cdrom, path="$work/disc.iso", status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev="$work/serial.txt"
log: $work/bochs.txt
error: action=ignore
END
    echo continue > "$work/debugger" # Debian's Bochs stops in its debugger before the first instruction
    : > "$work/serial.txt"
    tail -f "$work/serial.txt" --pid=$$ &
    TERM=xterm timeout 3h bochs -q -f "$work/bochsrc" -rc "$work/debugger" < /dev/null > "$work/screen.txt" 2>&1 &
    bochs=$!
    # The machine's screen is a terminal that Bochs makes, and it waits when nobody reads that.
    until screen=$(sed -n 's/.*connected to screen "\(.*\)".*/\1/p' "$work/screen.txt") && [ -n "$screen" ]; do
        kill -0 "$bochs" || { echo "Bochs did not start: see $work/screen.txt" >&2; exit 1; }
        sleep 1
    done
    stty -F "$screen" raw -echo
    cat "$screen" > /dev/null 2>&1 &
    wait "$bochs" || true # it ends with 1 when the machine turns off
    sleep 2 # for the last lines
}

make_disc
run_bochs
for line in "the processor has avx512ifma" "every test passed"; do
    grep -q "$line" "$work/serial.txt" || { echo "not told: $line; see $work/serial.txt" >&2; exit 1; }
done
