// SPDX-License-Identifier: Apache-2.0

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** Each asks lamactl itself, "lamactl complete -- WORDS…", which prints a candidate and, after a tab, its meaning on each line. */
export const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# bash completion of lamactl: source <(lamactl completion bash)
_lamactl() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(lamactl complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _lamactl lamactl
`,
  zsh: `#compdef lamactl
# zsh completion of lamactl: source <(lamactl completion zsh)
_lamactl() {
  local line
  local -a described
  for line in "\${(@f)$(lamactl complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( \${#described} )); then _describe lamactl described; else _files; fi
}
(( $+functions[compdef] )) && compdef _lamactl lamactl
`,
  fish: `# fish completion of lamactl: lamactl completion fish | source
function __lamactl_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l found (lamactl complete -- $words[2..-1] 2>/dev/null)
    if set -q found[1]
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c lamactl -f -a '(__lamactl_complete)'
`,
};
